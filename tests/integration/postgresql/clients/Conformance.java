import java.io.StringReader;
import java.io.StringWriter;
import java.sql.BatchUpdateException;
import java.sql.Connection;
import java.sql.DriverManager;
import java.sql.PreparedStatement;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Savepoint;
import java.sql.Statement;
import java.util.Arrays;
import org.postgresql.PGConnection;
import org.postgresql.copy.CopyManager;

/** What an application does with JDBC, one line per step: arguments JDBC URL, user, password. */
public class Conformance {
  interface Step {
    Object run() throws Exception;
  }

  static void say(String name, Step step) throws Exception {
    String seen;
    try {
      seen = String.valueOf(step.run());
    } catch (BatchUpdateException error) {
      seen = "batch " + error.getSQLState() + " " + Arrays.toString(error.getUpdateCounts());
    } catch (SQLException error) {
      seen = "error " + error.getSQLState() + " " + error.getMessage().split("\n")[0];
    }
    System.out.println(name + ": " + seen);
  }

  static String all(ResultSet result) throws SQLException {
    StringBuilder seen = new StringBuilder();
    int columns = result.getMetaData().getColumnCount();
    while (result.next()) {
      for (int i = 1; i <= columns; ++i) {
        seen.append(result.getString(i)).append(i == columns ? ";" : ",");
      }
    }
    return seen.toString();
  }

  static String ask(Connection connection, String sql) throws SQLException {
    try (Statement statement = connection.createStatement();
        ResultSet result = statement.executeQuery(sql)) {
      return all(result);
    }
  }

  static void execute(Connection connection, String sql) throws SQLException {
    try (Statement statement = connection.createStatement()) {
      statement.execute(sql);
    }
  }

  static void queries(Connection c) throws Exception {
    say("simple", () -> ask(c, "select 1, null, array[1,2], 'ä'"));
    say("repeated", () -> {
      StringBuilder seen = new StringBuilder();
      try (PreparedStatement plus = c.prepareStatement("select ? + 1, ?::text")) {
        for (int i = 0; i < 12; ++i) {
          plus.setInt(1, i);
          plus.setString(2, "v" + i);
          try (ResultSet result = plus.executeQuery()) {
            seen.append(all(result));
          }
        }
      }
      return seen;
    });
    say("types change", () -> {
      StringBuilder seen = new StringBuilder();
      try (PreparedStatement any = c.prepareStatement("select pg_typeof(?)")) {
        for (int i = 0; i < 4; ++i) {
          any.setInt(1, i);
          try (ResultSet result = any.executeQuery()) { seen.append(all(result)); }
          any.setString(1, "x");
          try (ResultSet result = any.executeQuery()) { seen.append(all(result)); }
        }
      }
      return seen;
    });
    say("error in prepared", () -> {
      StringBuilder seen = new StringBuilder();
      try (PreparedStatement divide = c.prepareStatement("select 10 / ?::int")) {
        for (int value : new int[] {1, 0, 2, 0, 5, 0, 10}) {
          divide.setInt(1, value);
          try (ResultSet result = divide.executeQuery()) {
            seen.append(all(result));
          } catch (SQLException error) {
            seen.append(error.getSQLState());
          }
        }
      }
      return seen;
    });
    say("syntax", () -> ask(c, "selec"));
    say("several", () -> {
      try (Statement statement = c.createStatement()) {
        statement.execute("select 1; select 2");
        String first = all(statement.getResultSet());
        return first + statement.getMoreResults() + all(statement.getResultSet());
      }
    });
    say("changed table", () -> {
      execute(c, "create temp table changing (a int); insert into changing values (1)");
      StringBuilder seen = new StringBuilder();
      try (PreparedStatement read = c.prepareStatement("select * from changing")) {
        for (int i = 0; i < 7; ++i) {
          try (ResultSet result = read.executeQuery()) { seen.append(all(result)); }
          if (i == 5) execute(c, "alter table changing add b int");
        }
      }
      return seen;
    });
  }

  static void transactions(Connection c) throws Exception {
    c.setAutoCommit(false);
    say("cursor", () -> {
      try (Statement statement = c.createStatement()) {
        statement.setFetchSize(7);
        try (ResultSet result = statement.executeQuery("select generate_series(1, 50)")) {
          return all(result);
        }
      }
    });
    c.commit();
    say("savepoint", () -> {
      execute(c, "create temp table s (n int) on commit drop");
      Savepoint point = c.setSavepoint("point");
      String error = "";
      try {
        execute(c, "insert into s values ('x')");
      } catch (SQLException failed) {
        error = failed.getSQLState();
      }
      c.rollback(point);
      execute(c, "insert into s values (1)");
      return error + ask(c, "select * from s");
    });
    c.rollback();
    say("aborted", () -> {
      try {
        ask(c, "select 1/0");
      } catch (SQLException failed) {
        return failed.getSQLState() + ask(c, "select 1");
      }
      return "";
    });
    c.rollback();
    say("batch", () -> {
      execute(c, "create temp table b (n int primary key) on commit drop");
      try (PreparedStatement insert = c.prepareStatement("insert into b values (?)")) {
        for (int i = 0; i < 300; ++i) {
          insert.setInt(1, i);
          insert.addBatch();
        }
        int sum = Arrays.stream(insert.executeBatch()).sum();
        insert.setInt(1, 1000);
        insert.addBatch();
        insert.setInt(1, 5);
        insert.addBatch();
        insert.setInt(1, 1001);
        insert.addBatch();
        System.out.println("batch rows: " + sum);
        return Arrays.toString(insert.executeBatch());
      }
    });
    c.rollback();
    say("read only", () -> {
      c.setReadOnly(true);
      c.setTransactionIsolation(Connection.TRANSACTION_SERIALIZABLE);
      return ask(c, "show transaction_read_only") + ask(c, "show transaction_isolation");
    });
    c.rollback();
    c.setReadOnly(false);
    c.setTransactionIsolation(Connection.TRANSACTION_READ_COMMITTED);
    c.setAutoCommit(true);
  }

  static void rest(Connection c) throws Exception {
    say("copy", () -> {
      execute(c, "create temp table cp (n int, t text)");
      CopyManager copy = c.unwrap(PGConnection.class).getCopyAPI();
      long rows = copy.copyIn("copy cp from stdin", new StringReader("1\tone\n2\ttwo\n"));
      StringWriter out = new StringWriter();
      copy.copyOut("copy cp to stdout", out);
      return rows + out.toString().replace("\n", ";");
    });
    say("bad copy", () -> c.unwrap(PGConnection.class).getCopyAPI()
        .copyIn("copy cp from stdin", new StringReader("x\ty\n")));
    say("after it", () -> ask(c, "select count(*) from cp"));
    say("settings", () -> {
      execute(c, "set timezone = 'Asia/Tokyo'");
      execute(c, "set search_path = pg_catalog");
      c.setSchema("public");
      String seen = ask(c, "show timezone") + ask(c, "show search_path") + c.getSchema();
      execute(c, "reset all");
      return seen + ask(c, "show search_path");
    });
    say("timeout", () -> {
      try (Statement statement = c.createStatement()) {
        statement.setQueryTimeout(1);
        return all(statement.executeQuery("select pg_sleep(20)"));
      }
    });
    say("notices", () -> {
      try (Statement statement = c.createStatement()) {
        statement.execute("do $$ begin raise notice 'hello'; end $$");
        return statement.getWarnings().getMessage();
      }
    });
    say("valid", () -> c.isValid(5));
    say("large", () -> {
      try (PreparedStatement length = c.prepareStatement("select length(?)")) {
        length.setString(1, "x".repeat(2_000_000));
        try (ResultSet result = length.executeQuery()) { return all(result); }
      }
    });
    say("changed table", () -> {
      execute(c, "drop table if exists conform_changed");
      execute(c, "create table conform_changed as select 1 as a");
      StringBuilder seen = new StringBuilder();
      try (PreparedStatement select = c.prepareStatement("select * from conform_changed")) {
        for (String change : new String[] {
            "set (fillfactor = 90)", "add b text default 'new'", "alter a type text", "drop a"}) {
          execute(c, "alter table conform_changed " + change);
          for (int i = 0; i < 7; ++i) {
            try (ResultSet result = select.executeQuery()) { seen.append(all(result)); }
          }
        }
      }
      execute(c, "drop table conform_changed");
      return seen;
    });
    say("metadata", () -> {
      try (ResultSet result = c.getMetaData().getColumns(null, "public", "pgbench_tellers", null)) {
        StringBuilder seen = new StringBuilder();
        while (result.next()) seen.append(result.getString("COLUMN_NAME")).append(' ');
        return seen;
      }
    });
  }

  public static void main(String[] arguments) throws Exception {
    try (Connection connection =
        DriverManager.getConnection(arguments[0], arguments[1], arguments[2])) {
      queries(connection);
      transactions(connection);
      rest(connection);
    }
    System.out.println("done");
  }
}
