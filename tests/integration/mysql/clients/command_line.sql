select 1, -2, 3.50, null, 'ä€😀', hex(x'00ff27');
create table d_c (id int primary key auto_increment, v varchar(50), unique (v));
insert into d_c (v) values ('a'), ('b'), ('c');
select last_insert_id();
update d_c set v = 'a' where v = 'a';
insert into d_c (v) values ('a');
select nothing from d_c;
begin;
insert into d_c (v) values ('gone');
rollback;
select count(*) from d_c where v = 'gone';
set time_zone = '+03:00';
select @@time_zone;
use other
select database();
use app
status_is_a_syntax_error;
set @d_v = 5;
select @d_v;
delimiter //
create procedure d_w(a int) begin select a; select a + 1; end//
call d_w(20)//
delimiter ;
create temporary table d_f (v varchar(20));
load data local infile '/etc/debian_version' into table d_f;
select count(*) from d_f;
drop temporary table d_f;
describe d_c;
select repeat('x', 70000) = repeat('x', 70000);
