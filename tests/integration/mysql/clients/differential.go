// go-sql-driver: the scenario of every driver, written down as what it saw. Reads places from stdin.
package main

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"

	"github.com/go-sql-driver/mysql"
)

type place struct {
	Name, Host, User, Password, Database, Other, CA string
	Port, Large                                     int
	TLS                                             bool
}

type scenario struct {
	ctx  context.Context
	conn *sql.Conn
	at   place
	seen [][]interface{}
}

func (s *scenario) note(step string, what interface{}) {
	s.seen = append(s.seen, []interface{}{step, what})
}

func described(err error) interface{} {
	var known *mysql.MySQLError
	if errors.As(err, &known) {
		return []interface{}{"error", known.Number, known.Message}
	}
	return []interface{}{"failure", err.Error()}
}

func read(rows *sql.Rows) (interface{}, error) {
	defer rows.Close()
	var all []interface{}
	for {
		types, err := rows.ColumnTypes()
		if err != nil {
			return nil, err
		}
		var names, set []interface{}
		for _, one := range types {
			names = append(names, one.Name()+":"+one.DatabaseTypeName())
		}
		for rows.Next() {
			values := make([]sql.NullString, len(types))
			places := make([]interface{}, len(types))
			for i := range values {
				places[i] = &values[i]
			}
			if err := rows.Scan(places...); err != nil {
				return nil, err
			}
			var row []interface{}
			for _, one := range values {
				if one.Valid {
					row = append(row, one.String)
				} else {
					row = append(row, nil)
				}
			}
			set = append(set, row)
		}
		all = append(all, []interface{}{names, set})
		if !rows.NextResultSet() {
			return all, rows.Err()
		}
	}
}

func (s *scenario) query(step, text string, arguments ...interface{}) {
	rows, err := s.conn.QueryContext(s.ctx, text, arguments...)
	if err == nil {
		var got interface{}
		if got, err = read(rows); err == nil {
			s.note(step, got)
			return
		}
	}
	s.note(step, described(err))
}

func (s *scenario) exec(step, text string, arguments ...interface{}) {
	result, err := s.conn.ExecContext(s.ctx, text, arguments...)
	if err != nil {
		s.note(step, described(err))
		return
	}
	id, _ := result.LastInsertId()
	affected, _ := result.RowsAffected()
	s.note(step, []interface{}{id, affected})
}

func (s *scenario) transaction(step, end string) {
	tx, err := s.conn.BeginTx(s.ctx, nil)
	if err != nil {
		s.note(step, described(err))
		return
	}
	_, err = tx.ExecContext(s.ctx, "insert into d_g (v) values (?)", step)
	s.note(step, fmt.Sprint(err))
	if end == "commit" {
		err = tx.Commit()
	} else {
		err = tx.Rollback()
	}
	s.note(step+" over", fmt.Sprint(err))
	s.query(step+" seen", "select count(*) from d_g where v = ?", step)
}

func (s *scenario) play() {
	s.query("values", "select 1, -2, 3.50, null, 'ä€😀', x'00ff27', '' as empty, true")
	s.exec("drop", "drop table if exists d_g")
	s.exec("create", "create table d_g (id int primary key auto_increment, v varchar(50), unique (v))")
	s.exec("insert", "insert into d_g (v) values ('a'), ('b'), ('c')")
	s.exec("same again", "update d_g set v = 'a' where v = 'a'")
	s.exec("duplicate", "insert into d_g (v) values ('a')")
	s.query("unknown", "select nothing from d_g")
	for i := 0; i < 4; i++ {
		s.exec("prepared insert", "insert into d_g (v) values (?)", fmt.Sprint("p", i))
		s.query("prepared", "select ?, ?, ?, ?", i, nil, strings.Repeat("t", i*300), []byte{0, 39, 255})
	}
	statement, err := s.conn.PrepareContext(s.ctx, "select id, v from d_g where id > ? order by id")
	s.note("statement", fmt.Sprint(err))
	for i := 0; i < 3; i++ {
		rows, err := statement.QueryContext(s.ctx, i)
		if err != nil {
			s.note("statement runs", described(err))
			continue
		}
		got, err := read(rows)
		s.note("statement runs", []interface{}{got, fmt.Sprint(err)})
		s.exec("between", "set @d_between = 1")
	}
	s.note("closed", fmt.Sprint(statement.Close()))
	s.transaction("gone", "rollback")
	s.transaction("stays", "commit")
	s.query("several", "select 1 as a; select 'x', 2; select 3")
	s.exec("drop procedure", "drop procedure if exists d_s")
	s.exec("procedure", "create procedure d_s(in a int) begin select a; select a + 1; end")
	s.exec("zone", "set time_zone = '+03:00'")
	s.query("zone stays", "select @@time_zone")
	s.exec("use", "use "+s.at.Other)
	s.query("schema", "select database()")
	s.exec("back", "use "+s.at.Database)
	s.exec("variable", "set @d_v = 5")
	s.query("variable stays", "select @d_v + 0")
	mysql.RegisterReaderHandler("data", func() io.Reader {
		return strings.NewReader(strings.Repeat("a line\n", 3000))
	})
	s.exec("table", "create temporary table d_f (v varchar(20))")
	s.exec("load", "load data local infile 'Reader::data' into table d_f")
	s.query("loaded", "select count(*) from d_f")
	s.exec("gone", "drop temporary table d_f")
	s.query("many", "with recursive n(i) as (select 1 union all select i + 1 from n where i < 700) select i from n")
	s.query("large", "select length(?), md5(?)", strings.Repeat("x", s.at.Large), strings.Repeat("y", s.at.Large))
	// Late: what a procedure leaves behind may keep a client on its backend.
	s.query("call", "call d_s(20)")
	s.query("after the call", "select @@time_zone, database(), @d_v + 0")
	s.note("ping", fmt.Sprint(s.conn.PingContext(s.ctx)))
}

func must(err error) {
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

func main() {
	var places []place
	must(json.NewDecoder(os.Stdin).Decode(&places))
	transcripts := map[string]interface{}{}
	for _, at := range places {
		config := mysql.NewConfig()
		config.User, config.Passwd, config.DBName = at.User, at.Password, at.Database
		config.Net, config.Addr = "tcp", fmt.Sprintf("%s:%d", at.Host, at.Port)
		config.MultiStatements, config.AllowNativePasswords = true, true
		config.MaxAllowedPacket = 64 << 20
		if at.TLS {
			pem, err := os.ReadFile(at.CA)
			must(err)
			pool := x509.NewCertPool()
			pool.AppendCertsFromPEM(pem)
			must(mysql.RegisterTLSConfig("test", &tls.Config{RootCAs: pool, ServerName: "localhost"}))
			config.TLSConfig = "test"
		}
		db, err := sql.Open("mysql", config.FormatDSN())
		must(err)
		conn, err := db.Conn(context.Background())
		must(err)
		s := &scenario{ctx: context.Background(), conn: conn, at: at}
		s.play()
		must(db.Close())
		transcripts[at.Name] = s.seen
	}
	must(json.NewEncoder(os.Stdout).Encode(transcripts))
}
