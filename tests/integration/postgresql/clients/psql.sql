-- What people type. Errors are part of what is compared.
\set ON_ERROR_STOP 0
\pset pager off
select 1 as one, null as nothing, 'ä' as umlaut;
select 1/0;
\d pgbench_branches
\dt pgbench_*
select generate_series(1, 5) as n \gset row_
begin;
create temp table t (n int, s text) on commit drop;
\copy t from program 'printf "1\tone\n2\ttwo\n"'
\copy (select * from t order by n) to stdout
savepoint a;
insert into t values ('x', 'y');
rollback to a;
select count(*) from t;
commit;
select * from t;
prepare p (int) as select $1 + 1;
execute p (1);
execute p (2);
deallocate p;
execute p (3);
set timezone = 'Asia/Tokyo';
show timezone;
set local timezone = 'UTC';
show timezone;
declare c cursor with hold for select generate_series(1, 10);
fetch 3 from c;
fetch 3 from c;
close c;
\set FETCH_COUNT 7
select generate_series(1, 20);
\unset FETCH_COUNT
do $$ begin raise notice 'told'; end $$;
select 1 \; select 2 \; select 3;
select $1::int + $2::int \bind 1 2 \g
listen here;
notify here, 'me';
unlisten *;
create temp sequence s;
select nextval('s'), nextval('s');
select currval('s');
select lastval();
select set_config('my.own', 'kept', false);
show my.own;
discard all;
-- The same backend knows it as empty, another one not at all.
select current_setting('my.own', true);
\echo done
