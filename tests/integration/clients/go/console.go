// The console through Go's drivers. Arguments: pgx | pq, URL.
package main

import (
	"context"
	"database/sql"
	"fmt"
	"os"

	"github.com/jackc/pgx/v4"
	_ "github.com/lib/pq"
)

func check(err error) {
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

func throughPgx(url string, simple bool) {
	config, err := pgx.ParseConfig(url)
	check(err)
	config.PreferSimpleProtocol = simple
	ctx := context.Background()
	console, err := pgx.ConnectConfig(ctx, config)
	check(err)
	defer console.Close(ctx)
	for i := 0; i < 3; i++ { // pgx keeps what it has prepared
		rows, err := console.Query(ctx, "SHOW POOLS")
		check(err)
		if len(rows.FieldDescriptions()) != 17 {
			panic("columns")
		}
		count := 0
		for ; rows.Next(); count++ {
			_, err := rows.Values()
			check(err)
		}
		check(rows.Err())
		if count < 1 {
			panic("rows")
		}
	}
	var database string
	rows, err := console.Query(ctx, "SHOW STATS_TOTALS")
	check(err)
	for rows.Next() {
		values, err := rows.Values()
		check(err)
		database = values[0].(string)
	}
	check(rows.Err())
	if database == "" {
		panic("stats")
	}
	_, err = console.Exec(ctx, "RELOAD")
	check(err)
	if _, err = console.Exec(ctx, "FROB"); err == nil {
		panic("no error")
	}
	check(console.Ping(ctx))
}

func throughPq(url string) {
	console, err := sql.Open("postgres", url+"?sslmode=disable")
	check(err)
	defer console.Close()
	check(console.Ping())
	var version string
	check(console.QueryRow("SHOW VERSION;").Scan(&version))
	rows, err := console.Query("SHOW LISTS;")
	check(err)
	defer rows.Close()
	count := 0
	for ; rows.Next(); count++ {
		var list string
		var items int
		check(rows.Scan(&list, &items))
	}
	check(rows.Err())
	if count != 14 {
		panic("lists")
	}
}

func main() {
	if os.Args[1] == "pq" {
		throughPq(os.Args[2])
	} else {
		throughPgx(os.Args[2], true)
		throughPgx(os.Args[2], false)
	}
	fmt.Println("done")
}
