-- One request of a web page: mostly waiting for people, then one short transaction.
\set pause random(50, 450)
\set aid random(1, 100000)
\sleep :pause ms
SELECT abalance FROM pgbench_accounts WHERE aid = :aid;
