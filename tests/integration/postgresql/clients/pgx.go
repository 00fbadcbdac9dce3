// pgx, one line per step. Argument: URL.
package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"strings"
	"time"

	"github.com/jackc/pgconn"
	"github.com/jackc/pgx/v4"
)

var ctx = context.Background()

func told(err error) string {
	var answered *pgconn.PgError
	if errors.As(err, &answered) {
		return answered.Code + " " + answered.Message
	}
	return err.Error()
}

func say(name string, seen interface{}, err error) {
	if err != nil {
		seen = "error " + told(err)
	}
	fmt.Printf("%s: %v\n", name, seen)
}

func all(rows pgx.Rows, err error) (string, error) {
	if err != nil {
		return "", err
	}
	defer rows.Close()
	seen := []string{}
	for rows.Next() {
		values, err := rows.Values()
		if err != nil {
			return "", err
		}
		seen = append(seen, fmt.Sprint(values))
	}
	return strings.Join(seen, ";"), rows.Err()
}

func queries(c *pgx.Conn) {
	seen, err := all(c.Query(ctx, "select 1, null, array[1,2], 'ä'"))
	say("simple", seen, err)
	for i := 0; i < 6; i++ {
		seen, err = all(c.Query(ctx, "select $1::int + 1, $2::text", i, "v"))
		say("cached", seen, err)
	}
	for _, value := range []int{1, 0, 2, 0} {
		seen, err = all(c.Query(ctx, "select 10 / $1::int", value))
		say("divided", seen, err)
	}
	seen, err = all(c.Query(ctx, "selec"))
	say("syntax", seen, err)
	description, err := c.Prepare(ctx, "named", "select $1::text || 'x'")
	say("prepared", len(description.ParamOIDs), err)
	for i := 0; i < 3; i++ {
		seen, err = all(c.Query(ctx, "named", "y"))
		say("named", seen, err)
	}
	say("deallocated", "", c.Deallocate(ctx, "named"))
	seen, err = all(c.Query(ctx, "select $1::int8, $2::float8, $3::timestamptz is not null, $4::bytea",
		int64(1)<<40, 0.5, time.Now(), []byte{0, 1}))
	say("binary", seen, err)
	_, err = c.Exec(ctx, "create temp table t (n int)")
	say("temporary", "", err)
}

func batches(c *pgx.Conn) {
	batch := &pgx.Batch{}
	for i := 0; i < 20; i++ {
		batch.Queue("select $1::int * 2", i)
	}
	batch.Queue("select 1/0")
	batch.Queue("select 'behind'")
	results := c.SendBatch(ctx, batch)
	for i := 0; i < 22; i++ {
		seen, err := all(results.Query())
		say("batch", seen, err)
	}
	say("closed", "", results.Close())
	count, err := c.CopyFrom(ctx, pgx.Identifier{"t"}, []string{"n"},
		pgx.CopyFromSlice(500, func(i int) ([]interface{}, error) { return []interface{}{i}, nil }))
	say("copy", count, err)
}

func transactions(c *pgx.Conn) {
	tx, err := c.Begin(ctx)
	say("begin", "", err)
	inner, err := tx.Begin(ctx)
	say("savepoint", "", err)
	_, err = inner.Exec(ctx, "insert into t values ('x')")
	say("failed", "", err)
	say("rolled back", "", inner.Rollback(ctx))
	seen, err := all(tx.Query(ctx, "select count(*), sum(n) from t"))
	say("inside", seen, err)
	say("committed", "", tx.Commit(ctx))
	short, cancel := context.WithTimeout(ctx, 300*time.Millisecond)
	defer cancel()
	_, err = c.Exec(short, "select pg_sleep(20)")
	say("cancelled", errors.Is(err, context.DeadlineExceeded) || err != nil, nil)
	say("and closed", c.IsClosed(), nil)
}

func listens(url string) {
	c, err := pgx.Connect(ctx, url)
	say("again", "", err)
	defer c.Close(ctx)
	_, err = c.Exec(ctx, "listen conform_go")
	say("listen", "", err)
	_, err = c.Exec(ctx, "notify conform_go, 'one'")
	say("notify", "", err)
	bounded, cancel := context.WithTimeout(ctx, 20*time.Second)
	defer cancel()
	note, err := c.WaitForNotification(bounded)
	say("heard", note.Payload, err)
	_, err = c.Exec(ctx, "set timezone = 'Asia/Tokyo'; set search_path = pg_catalog")
	say("set", "", err)
	seen, err := all(c.Query(ctx, "select current_setting('timezone'), current_setting('search_path')"))
	say("settings", seen, err)
	say("reported", c.PgConn().ParameterStatus("TimeZone"), nil)
}

func main() {
	c, err := pgx.Connect(ctx, os.Args[1])
	say("connected", "", err)
	queries(c)
	batches(c)
	transactions(c)
	listens(os.Args[1])
	fmt.Println("done")
}
