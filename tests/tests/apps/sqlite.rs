//! The SQLite shell: a file database with journals and locks.

use std::fs;

use lind_tests::Result;
use lind_tests::apps::build::{Builder, expect};
use lind_tests::debian::Patches;

const FILL: &str = "
create table person(id integer primary key, name text not null unique, born real);
create index by_birth on person(born);
begin;
with recursive n(i) as (select 1 union all select i + 1 from n where i < 20000)
  insert into person select i, 'person ' || i, 1900 + i % 100 + 0.5 from n;
commit;
begin; delete from person; rollback;
create table note(person references person, text);
insert into note values (1, 'first'), (2, 'zw\u{f6}lf'), (3, null);
create trigger log after update on person begin insert into note values (new.id, 'renamed'); end;
update person set name = 'renamed' where id = 7;
select count(*), sum(id), round(avg(born), 3) from person;
insert or ignore into person values (1, 'twice', 0);
";

const ASK: &str = "
pragma integrity_check;
select count(*) from person where born between 1950 and 1960;
select p.name, n.text from person p join note n on n.person = p.id order by p.id;
select printf('%.3f %s %d', 3.14159, upper('text'), length('zw\u{f6}lf')), hex('ab'), typeof(1.0), date(2440587.5);
select group_concat(id, '-') from (select id from person order by id desc limit 3);
select sqrt(2), json_extract('{\"a\":[1,2,3]}', '$.a[1]');
";

const ANSWERS: &str = "ok
2000
person 1|first
person 2|zw\u{f6}lf
person 3|
renamed|renamed
3.142 TEXT 5|6162|real|1970-01-01
20000-19999-19998
1.4142135623731|2
";

/// Creates a database, closes it, opens it again, in both journal modes that need no shared memory.
pub(crate) fn check(builder: &Builder) -> Result<()> {
    let mut configure = vec!["./configure".to_owned(), "--quiet".to_owned()];
    configure.extend(builder.configure());
    configure
        .extend(["--disable-tcl", "--disable-readline", "--disable-shared"].map(str::to_owned));
    // The switch of Debian's own build for other machines: the parser generator is built for this one.
    let configure: Vec<&str> = configure.iter().map(String::as_str).collect();
    let sqlite = builder.build(
        "sqlite3",
        Patches::Applied,
        &[
            &configure,
            &["make", "-j2", "CROSS_BUILDING=yes", "sqlite3"],
        ],
    )?;
    let data = tempfile::tempdir().map_err(|e| e.to_string())?;
    let run =
        |arguments: &[&str], input: &str| sqlite.run("sqlite3", arguments, data.path(), input);
    for mode in ["delete", "truncate"] {
        let database = format!("{mode}.db");
        let script = format!("pragma journal_mode={mode};\n{FILL}");
        let printed = run(&[&database], &script)?;
        expect(
            "filling",
            &format!("{mode}\n20000|200010000|1950.0\n"),
            &printed,
        )?;
        expect(
            "asking the closed and reopened database",
            ANSWERS,
            &run(&[&database], ASK)?,
        )?;
        let bytes =
            fs::read(data.path().join(&database)).map_err(|e| format!("no database: {e}"))?;
        if !bytes.starts_with(b"SQLite format 3\0") {
            return Err("the file is no database".to_owned());
        }
    }
    fs::write(data.path().join("in.csv"), "1,one\n2,\"two, three\"\n")
        .map_err(|e| e.to_string())?;
    let script = "create table c(n, t);\n.import --csv in.csv c\n.headers on\n.mode csv\n.output out.csv\nselect t, n from c;\n";
    run(&["copy.db"], script)?;
    let written =
        fs::read_to_string(data.path().join("out.csv")).map_err(|e| format!("no out.csv: {e}"))?;
    expect("out.csv", "t,n\r\none,1\r\n\"two, three\",2\r\n", &written)?;
    run(&["copy.db", ".dump"], "").and_then(|dump| {
        if dump.contains("INSERT INTO c VALUES('2','two, three');") {
            Ok(())
        } else {
            Err(format!(".dump says:\n{dump}"))
        }
    })
}
