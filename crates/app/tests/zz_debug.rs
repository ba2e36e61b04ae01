mod house;
use house::*;
use tandem_kernel::Environment;
#[tokio::test]
async fn debug() {
    let Some(pg) = std::env::var("TANDEM_TEST_POSTGRES").ok() else { return };
    let house = House::new(Some(&pg), "2024-01-15T08:00:00Z").await;
    let who = caller(&house.account().await, Environment::Test);
    house.buy(&who, "+14155550101").await.expect("a number");
    let jobs = |h: &House| { let s = h.app.store.clone(); async move { s.read(move |tx| tx.query("SELECT kind, due_at, wake_at, attempts FROM jobs ORDER BY due_at", &[])).await.expect("jobs") } };
    println!("{:?}", jobs(&house).await);
    house.advance(&who, "2024-03-20T00:00:00Z").await;
    println!("{:?}", jobs(&house).await);
    house.work().await;
    println!("{:?}", jobs(&house).await);
}
