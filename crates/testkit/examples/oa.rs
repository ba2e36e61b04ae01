fn main(){ println!("{:#}", tandem_api::openapi(tandem_catalogue::Dialect::Audian).unwrap()); }
