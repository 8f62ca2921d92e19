//! The contract suite on a real account: `BEAM_AWS_LIVE=1`, credentials and a region in the environment. It makes a table with a name of
//! its own, tagged `beam = register`, and deletes it. Nobody has run it for this repository, which has no account.

use beam_aws::dynamodb::{Access, DynamoDbRegister, Place, region_of_environment};
use beam_core::testing::register_contract;
use std::sync::Arc;

use async_trait::async_trait;
use aws_config::{BehaviorVersion, Region};
use aws_sdk_dynamodb::Client;
use aws_smithy_http_client::Builder;
use aws_smithy_http_client::tls::Provider;
use aws_smithy_http_client::tls::rustls_provider::CryptoMode;
use beam_core::register::{Register, RegisterError};
use beam_core::testing::RegisterHarness;

async fn delete(place: &Place) {
    let provider = Provider::Rustls(CryptoMode::Ring);
    let http = Builder::new().tls_provider(provider).build_https();
    let region = Region::new(place.region.clone());
    let config =
        aws_config::defaults(BehaviorVersion::v2026_01_12()).http_client(http).region(region).load().await;
    let client = Client::new(&config);
    let unprotect = client.update_table().table_name(&place.table).deletion_protection_enabled(false);
    unprotect.send().await.expect("the table was not deleted: do it by hand");
    client
        .delete_table()
        .table_name(&place.table)
        .send()
        .await
        .expect("the table was not deleted: do it by hand");
}

struct Live(Place);

#[async_trait]
impl RegisterHarness for Live {
    async fn open(&self) -> Result<Arc<dyn Register>, RegisterError> {
        Ok(Arc::new(DynamoDbRegister::open(self.0.clone(), None, &Access::default()).await?))
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_contract_is_kept_by_aws() {
    if std::env::var_os("BEAM_AWS_LIVE").is_none() {
        return println!("skipped: BEAM_AWS_LIVE is not set");
    }
    let region = region_of_environment().await.expect("a region: set AWS_REGION");
    let mut random = [0; 8];
    getrandom::fill(&mut random).unwrap();
    let table = format!("beam-test-{:016x}", u64::from_be_bytes(random));
    let place = Place { table, region, endpoint: None };
    let made = DynamoDbRegister::create(place.clone(), &Access::default()).await.unwrap();
    let outcome = register_contract::run_all(&Live(place.clone())).await;
    println!("{:?}", made.calls());
    delete(&place).await;
    outcome.unwrap();
}
