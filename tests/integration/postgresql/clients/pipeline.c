/* libpq's own pipeline mode, one line per result. Argument: URL. */
#include <libpq-fe.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static void say(PGconn *connection, PGresult *result) {
  const char *sqlstate = PQresultErrorField(result, PG_DIAG_SQLSTATE);
  printf("%s %s %s\n", PQresStatus(PQresultStatus(result)), sqlstate == NULL ? "" : sqlstate,
         PQntuples(result) > 0 ? PQgetvalue(result, 0, 0) : "");
  (void)connection;
  PQclear(result);
}

/* Results up to and including `syncs` ends of a pipeline. */
static void read_all(PGconn *connection, int syncs) {
  int nothing = 0;
  while (syncs > 0 && nothing < 2) {
    PGresult *result = PQgetResult(connection);
    if (result == NULL) {
      ++nothing;
      continue;
    }
    nothing = 0;
    if (PQresultStatus(result) == PGRES_PIPELINE_SYNC) --syncs;
    say(connection, result);
  }
}

static void must(int holds, PGconn *connection, const char *what) {
  if (holds) return;
  fprintf(stderr, "%s: %s", what, PQerrorMessage(connection));
  exit(1);
}

static void query(PGconn *connection, const char *text, const char *value) {
  const char *values[1] = {value};
  must(PQsendQueryParams(connection, text, value == NULL ? 0 : 1, NULL, values, NULL, NULL, 0),
       connection, text);
}

int main(int count, char **arguments) {
  PGconn *connection = PQconnectdb(count > 1 ? arguments[1] : "");
  must(PQstatus(connection) == CONNECTION_OK, connection, "connect");
  must(PQenterPipelineMode(connection), connection, "enter");

  for (int i = 0; i < 50; ++i) {
    char text[16];
    snprintf(text, sizeof text, "%d", i);
    query(connection, "select $1::int + 1", text);
  }
  must(PQpipelineSync(connection), connection, "sync");
  read_all(connection, 1);

  query(connection, "select 'before'", NULL);
  query(connection, "select 1/0", NULL);
  query(connection, "select 'skipped'", NULL);
  must(PQpipelineSync(connection), connection, "sync");
  query(connection, "select 'behind the sync'", NULL);
  must(PQpipelineSync(connection), connection, "sync");
  read_all(connection, 2);

  must(PQsendPrepare(connection, "plus", "select $1::int + 10", 0, NULL), connection, "prepare");
  for (int i = 0; i < 5; ++i) {
    const char *values[1] = {"7"};
    must(PQsendQueryPrepared(connection, "plus", 1, values, NULL, NULL, 0), connection, "execute");
  }
  must(PQsendDescribePrepared(connection, "plus"), connection, "describe");
  must(PQpipelineSync(connection), connection, "sync");
  must(PQsendPrepare(connection, "plus", "select 1", 0, NULL), connection, "again");
  must(PQpipelineSync(connection), connection, "sync");
  read_all(connection, 2);

  query(connection, "begin", NULL);
  query(connection, "create temp table p (n int) on commit drop", NULL);
  for (int i = 0; i < 20; ++i) query(connection, "insert into p values ($1::int)", "3");
  must(PQsendFlushRequest(connection), connection, "flush");
  must(PQflush(connection) == 0, connection, "flushed");
  query(connection, "select sum(n) from p", NULL);
  query(connection, "commit", NULL);
  must(PQpipelineSync(connection), connection, "sync");
  read_all(connection, 1);

  must(PQexitPipelineMode(connection), connection, "leave");
  say(connection, PQexec(connection, "select 'simple again'"));
  PQfinish(connection);
  puts("done");
  return 0;
}
