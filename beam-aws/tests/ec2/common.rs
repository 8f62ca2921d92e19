//! An emulator to try things on. One serves the whole program: it is gone when the program is.

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use aws_sdk_ec2::config::{BehaviorVersion, Credentials as AccessKey, Region as Named};
use aws_sdk_ec2::types::{
    InstanceType, LaunchTemplateBlockDeviceMappingRequest, LaunchTemplateEbsBlockDeviceRequest,
    RequestLaunchTemplateData, VolumeType,
};
use aws_sdk_ec2::{Client, Config};
use aws_smithy_http_client::Builder;
use aws_smithy_http_client::tls::Provider;
use aws_smithy_http_client::tls::rustls_provider::CryptoMode;
use beam_aws::ec2::{Access, Credentials, Ec2Cloud, Region};
use beam_core::cloud_provider::TemplateId;
use beam_examples::moto::Moto;

/// Where the emulator's machines are.
pub(crate) const REGION: &str = "eu-central-1";

static RUNS: AtomicU64 = AtomicU64::new(1);

/// The emulator, which the first test that asks starts.
pub(crate) async fn emulator() -> &'static Moto {
    Moto::of_program().await.unwrap()
}

/// What the emulator takes. It hides nothing, so what is not there is not waited for.
pub(crate) fn access() -> Access {
    Access {
        credentials: Credentials::key("beam", "beam"),
        visible_within: Duration::ZERO,
        ..Access::default()
    }
}

/// Beam's hands, on an endpoint.
pub(crate) async fn cloud_at(endpoint: String) -> Ec2Cloud {
    let region = Region { name: REGION.to_owned(), endpoint: Some(endpoint) };
    Ec2Cloud::open(region, &access()).await.unwrap()
}

/// The emulator as anybody else sees it.
pub(crate) async fn raw() -> Client {
    let http = Builder::new().tls_provider(Provider::Rustls(CryptoMode::Ring)).build_https();
    let config = Config::builder()
        .behavior_version(BehaviorVersion::v2026_01_12())
        .http_client(http)
        .region(Named::new(REGION))
        .credentials_provider(AccessKey::new("beam", "beam", None, None, "test"))
        .endpoint_url(emulator().await.endpoint());
    Client::from_conf(config.build())
}

/// An error with its causes, as the pilot prints it.
pub(crate) fn line(error: impl Into<anyhow::Error>) -> String {
    format!("{:#}", error.into())
}

/// A number that no other test has.
pub(crate) fn new_run() -> u64 {
    RUNS.fetch_add(1, Ordering::Relaxed)
}

/// A template of this name in the emulator.
pub(crate) async fn template(client: &Client, name: &str) -> TemplateId {
    let images = client.describe_images().owners("amazon").send().await.unwrap();
    let image = images.images().iter().find(|image| image.root_device_name() == Some("/dev/xvda"));
    let image = image.and_then(|image| image.image_id()).expect("an image with its root at /dev/xvda");
    template_of(client, name, image).await
}

/// A template of this name and image, with a root disk and a data disk.
pub(crate) async fn template_of(client: &Client, name: &str, image: &str) -> TemplateId {
    let disk = |device: &str, gib: i32| {
        let ebs =
            LaunchTemplateEbsBlockDeviceRequest::builder().volume_size(gib).volume_type(VolumeType::Gp3);
        LaunchTemplateBlockDeviceMappingRequest::builder().device_name(device).ebs(ebs.build()).build()
    };
    let data = RequestLaunchTemplateData::builder()
        .image_id(image)
        .instance_type(InstanceType::T3Nano)
        .block_device_mappings(disk("/dev/xvda", 8))
        .block_device_mappings(disk("/dev/sdf", 10));
    let made = client
        .create_launch_template()
        .launch_template_name(name)
        .launch_template_data(data.build())
        .send()
        .await
        .unwrap();
    let made = made.launch_template().unwrap();
    TemplateId::new(format!("{}:1", made.launch_template_id().unwrap()))
}
