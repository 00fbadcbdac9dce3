// lib/pq through database/sql, one line per step. Argument: URL.
package main

import (
	"database/sql"
	"errors"
	"fmt"
	"os"
	"strings"

	"github.com/lib/pq"
)

func say(name string, seen interface{}, err error) {
	var answered *pq.Error
	if errors.As(err, &answered) {
		seen = "error " + string(answered.Code) + " " + answered.Message
	} else if err != nil {
		seen = "error " + err.Error()
	}
	fmt.Printf("%s: %v\n", name, seen)
}

func all(rows *sql.Rows, err error) (string, error) {
	if err != nil {
		return "", err
	}
	defer rows.Close()
	columns, err := rows.Columns()
	if err != nil {
		return "", err
	}
	seen := []string{}
	for rows.Next() {
		cells := make([]sql.NullString, len(columns))
		into := make([]interface{}, len(columns))
		for i := range cells {
			into[i] = &cells[i]
		}
		if err := rows.Scan(into...); err != nil {
			return "", err
		}
		seen = append(seen, fmt.Sprint(cells))
	}
	return strings.Join(seen, ";"), rows.Err()
}

func steps(db *sql.DB) {
	seen, err := all(db.Query("select 1, null, 'ä'"))
	say("simple", seen, err)
	for i := 0; i < 4; i++ {
		seen, err = all(db.Query("select $1::int + 1, $2::text", i, "v"))
		say("parameters", seen, err)
	}
	seen, err = all(db.Query("select 1/$1::int", 0))
	say("error", seen, err)
	seen, err = all(db.Query("selec"))
	say("syntax", seen, err)
	statement, err := db.Prepare("select $1::text || 'x'")
	say("prepared", "", err)
	for i := 0; i < 3; i++ {
		seen, err = all(statement.Query("y"))
		say("executed", seen, err)
	}
	say("closed", "", statement.Close())
	say("ping", "", db.Ping())
	_, err = db.Exec("set timezone = 'Asia/Tokyo'; set search_path = pg_catalog, public")
	say("set", "", err)
	seen, err = all(db.Query("select current_setting('timezone'), current_setting('search_path')"))
	say("settings", seen, err)
}

func transactions(db *sql.DB) {
	tx, err := db.Begin()
	say("begin", "", err)
	_, err = tx.Exec("create temp table t (n int) on commit drop")
	say("created", "", err)
	copying, err := tx.Prepare(pq.CopyIn("t", "n"))
	say("copy", "", err)
	for i := 0; i < 100; i++ {
		if _, err = copying.Exec(i); err != nil {
			say("row", "", err)
		}
	}
	_, err = copying.Exec()
	say("flushed", "", err)
	say("ended", "", copying.Close())
	seen, err := all(tx.Query("select count(*), sum(n) from t"))
	say("inside", seen, err)
	_, err = tx.Exec("select 1/0")
	say("failed", "", err)
	_, err = tx.Exec("select 1")
	say("aborted", "", err)
	say("rolled back", "", tx.Rollback())
	seen, err = all(db.Query("select 'after'"))
	say("after", seen, err)
}

func main() {
	for _, mode := range []string{"", "&binary_parameters=yes"} {
		db, err := sql.Open("postgres", os.Args[1]+mode)
		say("opened", "", err)
		db.SetMaxOpenConns(1)
		steps(db)
		transactions(db)
		say("left", "", db.Close())
	}
	fmt.Println("done")
}
