//! What goes into a row comes out of it, on both engines.

use tandem_store::{Param, Tx};
use tandem_testkit::on_both;

use super::Fresh;

const TABLE: &str = "CREATE TABLE things (id BIGINT PRIMARY KEY, number BIGINT, yes BOOLEAN, words TEXT, bytes BYTEA)";
const INSERT: &str = "INSERT INTO things (id, number, yes, words, bytes) VALUES ($1, $2, $3, $4, $5)";

fn insert(tx: &mut Tx, id: i64, values: [Param; 4]) -> tandem_catalogue::Result<u64> {
    let [number, yes, words, bytes] = values;
    tx.execute(INSERT, &[id.into(), number, yes, words, bytes])
}

on_both! {
    async fn values_of_every_type_come_back_as_they_went(fresh: Fresh) {
        let written = fresh.store.write(|tx| {
            tx.execute(TABLE, &[])?;
            insert(tx, 1, [Param::Null, Param::Null, Param::Null, Param::Null])?;
            insert(tx, 2, [i64::MIN.into(), false.into(), "".into(), Param::Bytes(&[])])?;
            insert(tx, 3, [i64::MAX.into(), true.into(), "Zürich 🦀 \u{10ffff} 'quoted' -- $1".into(), Param::Bytes(&[0, 255, 0])])
        });
        written.await.expect("written");
        let rows = fresh.store.read(|tx| tx.query("SELECT number, yes, words, bytes FROM things ORDER BY id", &[])).await.expect("read");
        assert_eq!((rows[0].opt_int(0).unwrap(), rows[0].opt_text(2).unwrap()), (None, None));
        assert_eq!(rows[0].opt_array::<3>(3).unwrap(), None);
        assert!(rows[0].int(0).is_err() && rows[0].text(2).is_err() && rows[0].bytes(3).is_err());
        assert_eq!((rows[1].int(0).unwrap(), rows[1].bool(1).unwrap(), rows[1].text(2).unwrap()), (i64::MIN, false, ""));
        assert_eq!(rows[1].bytes(3).unwrap(), [0_u8; 0]);
        assert_eq!((rows[2].int(0).unwrap(), rows[2].bool(1).unwrap()), (i64::MAX, true));
        assert_eq!(rows[2].text(2).unwrap(), "Zürich 🦀 \u{10ffff} 'quoted' -- $1");
        assert_eq!(rows[2].array::<3>(3).unwrap(), [0, 255, 0]);
        assert!(rows[2].array::<2>(3).is_err() && rows[2].text(0).is_err() && rows[2].int(9).is_err());
    }

    async fn a_parameter_may_stand_in_several_places(fresh: Fresh) {
        fresh.store.write(|tx| tx.execute(TABLE, &[])).await.expect("written");
        let written = fresh.store.write(|tx| {
            insert(tx, 1, [Param::Int(7), Param::Null, "seven".into(), Param::Null])?;
            insert(tx, 2, [Param::Int(8), Param::Null, "eight".into(), Param::Null])
        });
        written.await.expect("written");
        let sql = "SELECT id FROM things WHERE (number = $1 AND words = $2) OR (words <> $2 AND number > $1) ORDER BY id";
        let found = fresh.store.read(move |tx| tx.query(sql, &[Param::Int(7), "seven".into()])).await.expect("read");
        assert_eq!(found.iter().map(|row| row.int(0).unwrap()).collect::<Vec<_>>(), [1, 2]);
        let sql = "UPDATE things SET number = $2 WHERE id = $1";
        let changed = fresh.store.write(move |tx| tx.execute(sql, &[Param::Int(1), Param::Int(70)])).await.expect("written");
        let number = fresh.store.read(|tx| Ok(tx.first("SELECT number FROM things WHERE id = 1", &[])?.expect("a row").int(0)?)).await;
        assert_eq!((changed, number.expect("read")), (1, 70));
    }

    async fn changed_rows_are_counted_and_returned(fresh: Fresh) {
        let written = fresh.store.write(|tx| {
            tx.execute(TABLE, &[])?;
            let rows: Vec<Vec<Param>> =
                (0..500_i64).map(|id| vec![id.into(), (id % 5).into(), Param::Null, "x".into(), Param::Null]).collect();
            tx.execute_many(INSERT, &rows)
        });
        assert_eq!(written.await.expect("written"), 500);
        let changed = fresh.store.write(|tx| tx.execute("UPDATE things SET words = 'y' WHERE number = 3", &[]));
        assert_eq!(changed.await.expect("written"), 100);
        let returned = fresh.store.write(|tx| tx.query("DELETE FROM things WHERE id < 3 RETURNING id", &[]));
        assert_eq!(returned.await.expect("written").len(), 3);
        let sum = fresh.store.read(|tx| Ok(tx.first("SELECT CAST(SUM(number) AS BIGINT) FROM things", &[])?.expect("a row").int(0)?));
        assert_eq!(sum.await.expect("read"), 1000 - 3);
        let none = fresh.store.read(|tx| tx.first("SELECT id FROM things WHERE id = -1", &[])).await.expect("read");
        assert!(none.is_none());
    }

    async fn a_batch_with_a_bad_row_is_undone_as_a_whole(fresh: Fresh) {
        fresh.store.write(|tx| tx.execute(TABLE, &[])).await.expect("written");
        let doubled = fresh.store.write(|tx| {
            let row = |id: i64| vec![id.into(), Param::Null, Param::Null, Param::Null, Param::Null];
            tx.execute_many(INSERT, &[row(1), row(2), row(1)])
        });
        assert!(doubled.await.is_err());
        assert_eq!(fresh.count("SELECT COUNT(*) FROM things").await, 0);
    }
}
