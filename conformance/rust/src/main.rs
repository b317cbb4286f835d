//! The steps of ../steps.tsv with the AWS SDK for Rust: conformance URL REGION ACCESS_KEY SECRET_KEY

use std::error::Error;
use std::time::Duration;

use aws_sdk_chimesdkidentity as identity;
use aws_sdk_chimesdkmessaging as messaging;
use aws_smithy_http_client::Builder;
use messaging::config::{Credentials, Region};
use messaging::error::{ProvideErrorMetadata, SdkError};
use messaging::operation::send_channel_message::SendChannelMessageOutput;
use messaging::types::{
    ChannelMessage, ChannelMessageCallback, ChannelMessagePersistenceType, ChannelMessageStatus, ChannelMessageType,
    FallbackAction, InvocationType, LambdaConfiguration, Processor, ProcessorConfiguration, SortOrder, Tag,
};
use serde_json::{Value, json};

type Result<T> = std::result::Result<T, Box<dyn Error>>;

const POLLS_MAX: u32 = 300;

/// What one step leaves to the next ones.
struct Program {
    endpoint: String,
    region: String,
    access_key: String,
    secret_key: String,
    identity: identity::Client,
    messaging: messaging::Client,
    app: String,
    ann: String,
    talk: String,
    callbacks: String,
    pages: String,
    message: String,
    callback: String,
    /// CallbackId and MessageId of the message that was denied.
    denied: (String, String),
}

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<()> {
    let [endpoint, region, access_key, secret_key]: [String; 4] = std::env::args()
        .skip(1)
        .collect::<Vec<_>>()
        .try_into()
        .map_err(|_| "usage: conformance URL REGION ACCESS_KEY SECRET_KEY")?;
    let identity = identity::Client::from_conf(
        identity::Config::builder()
            .behavior_version(identity::config::BehaviorVersion::latest())
            .endpoint_url(&endpoint)
            .region(Region::new(region.clone()))
            .credentials_provider(Credentials::new(&access_key, &secret_key, None, None, "arguments"))
            .http_client(Builder::new().build_http())
            .build(),
    );
    let mut program = Program {
        messaging: messaging_client(&endpoint, &region, &access_key, &secret_key),
        identity,
        endpoint,
        region,
        access_key,
        secret_key,
        app: String::new(),
        ann: String::new(),
        talk: String::new(),
        callbacks: String::new(),
        pages: String::new(),
        message: String::new(),
        callback: String::new(),
        denied: Default::default(),
    };

    let version = messaging::meta::PKG_VERSION;
    println!("{}", json!({ "version": format!("aws-sdk-chimesdkmessaging {version}") }));
    for line in include_str!("../../steps.tsv").lines().skip(1) {
        let (number, rest) = line.split_once('\t').ok_or("a step without a name")?;
        let name = rest.split('\t').next().unwrap_or_default();
        let mut printed = program.step(name).await?;
        printed["step"] = json!(number.parse::<u32>()?);
        println!("{printed}");
    }
    Ok(())
}

fn messaging_client(endpoint: &str, region: &str, access_key: &str, secret_key: &str) -> messaging::Client {
    messaging::Client::from_conf(
        messaging::Config::builder()
            .behavior_version(messaging::config::BehaviorVersion::latest())
            .endpoint_url(endpoint)
            .region(Region::new(region.to_owned()))
            .credentials_provider(Credentials::new(access_key, secret_key, None, None, "arguments"))
            .http_client(Builder::new().build_http())
            .build(),
    )
}

impl Program {
    async fn step(&mut self, name: &str) -> Result<Value> {
        match name {
            "identity" => self.identity().await,
            "channel" => self.channel().await,
            "flow" => self.flow().await,
            "send" => {
                let sent = self.ask().await?;
                self.message = sent.message_id.unwrap_or_default();
                Ok(json!({ "MessageId": self.message, "Status": status_of(sent.status) }))
            }
            "poll" => self.poll().await,
            "callback unchanged" => self.allow(&self.callback, &self.message, None).await,
            "callback changed" => {
                let message = self.ask().await?.message_id.unwrap_or_default();
                let callback = self.callback_of(&message).await?;
                self.allow(&callback, &message, Some("Call [phone]")).await
            }
            "callback denied" => self.callback_denied().await,
            "bad request" => Ok(error_of(self.callback(&self.callback, &self.message, None, false).await)),
            "forbidden" => {
                let (callback, message) = &self.denied;
                Ok(error_of(self.callback(callback, message, None, true).await))
            }
            "conflict" => Ok(error_of(self.create_user("ann", "Another Ann").await)),
            "not found" => self.not_found().await,
            "unauthorized" => {
                let nobody = format!("{}/user/nobody", self.app);
                Ok(error_of(self.describe(&self.messaging, &nobody).await))
            }
            "limit exceeded" => self.limit_exceeded().await,
            "unknown key" => {
                let unknown = messaging_client(&self.endpoint, &self.region, "AKIDUNKNOWN000000000", &self.secret_key);
                Ok(error_of(self.describe(&unknown, &self.ann).await))
            }
            "unknown operation" => {
                let endpoint = format!("{}/nowhere", self.endpoint);
                let nowhere = messaging_client(&endpoint, &self.region, &self.access_key, &self.secret_key);
                Ok(error_of(self.describe(&nowhere, &self.ann).await))
            }
            "paging" => self.paging().await,
            "text" => self.text().await,
            "token" => self.token().await,
            "presigned" => Ok(json!({ "lacks": "the AWS SDK for Rust presigns calls of a few other services only" })),
            _ => Ok(json!({ "lacks": "not in this program" })),
        }
    }

    async fn identity(&mut self) -> Result<Value> {
        let app = self.identity.create_app_instance().name("conformance").send().await?;
        self.app = app.app_instance_arn.unwrap_or_default();
        self.ann = self.create_user("ann", "Ann").await?;
        let described = self.identity.describe_app_instance_user().app_instance_user_arn(&self.ann).send().await?;
        let name = described.app_instance_user.and_then(|user| user.name);
        Ok(json!({ "AppInstanceArn": self.app, "AppInstanceUserArn": self.ann, "Name": name }))
    }

    async fn channel(&mut self) -> Result<Value> {
        self.talk = self.create_channel("talk").await?;
        self.callbacks = self.create_channel("callbacks").await?;
        let name = self.describe(&self.messaging, &self.ann).await?;
        Ok(json!({ "ChannelArn": self.talk, "Name": name }))
    }

    async fn flow(&self) -> Result<Value> {
        let account = self.app.split(':').nth(4).unwrap_or_default();
        let lambda = LambdaConfiguration::builder()
            .resource_arn(format!("arn:aws:lambda:{}:{account}:function:conformance", self.region))
            .invocation_type(InvocationType::Async)
            .build()?;
        let processor = Processor::builder()
            .name("ask")
            .configuration(ProcessorConfiguration::builder().lambda(lambda).build())
            .execution_order(1)
            .fallback_action(FallbackAction::Abort)
            .build()?;
        let create = self.messaging.create_channel_flow().app_instance_arn(&self.app).name("ask");
        let flow = create.processors(processor).send().await?.channel_flow_arn.unwrap_or_default();
        let associate = self.messaging.associate_channel_flow().channel_arn(&self.talk).channel_flow_arn(&flow);
        associate.chime_bearer(&self.ann).send().await?;
        let described = self.messaging.describe_channel_flow().channel_flow_arn(&flow).send().await?;
        Ok(json!({ "ChannelFlowArn": flow, "Name": described.channel_flow.and_then(|flow| flow.name) }))
    }

    async fn poll(&mut self) -> Result<Value> {
        let look = self.messaging.get_channel_message_status().channel_arn(&self.talk).chime_bearer(&self.ann);
        let seen = look.message_id(&self.message).send().await?;
        self.callback = self.callback_of(&self.message).await?;
        Ok(json!({ "CallbackId": self.callback, "Status": status_of(seen.status) }))
    }

    async fn callback_denied(&mut self) -> Result<Value> {
        let message = self.ask().await?.message_id.unwrap_or_default();
        let callback = self.callback_of(&message).await?;
        self.denied = (callback, message);
        let (callback, message) = &self.denied;
        let accepted = self.callback(callback, message, None, true).await?;
        let contents = self.contents_of(&self.talk).await?;
        Ok(json!({ "MessageId": message, "CallbackId": accepted, "Contents": contents }))
    }

    async fn not_found(&self) -> Result<Value> {
        let bob = self.create_user("bob", "Bob").await?;
        let describe = self.messaging.describe_channel_membership().channel_arn(&self.talk).member_arn(bob);
        Ok(error_of(describe.chime_bearer(&self.ann).send().await))
    }

    async fn limit_exceeded(&self) -> Result<Value> {
        let tag = |key: String| Tag::builder().key(key).value("x").build();
        let tags = (0..50).map(|number| tag(format!("tag {number}"))).collect::<std::result::Result<Vec<_>, _>>()?;
        self.messaging.tag_resource().resource_arn(&self.app).set_tags(Some(tags)).send().await?;
        let one_more = tag("one more".to_owned())?;
        Ok(error_of(self.messaging.tag_resource().resource_arn(&self.app).tags(one_more).send().await))
    }

    async fn paging(&mut self) -> Result<Value> {
        self.pages = self.create_channel("pages").await?;
        for content in ["1", "2", "3", "4", "5"] {
            self.send(&self.pages, content, None, None).await?;
        }
        Ok(json!({ "ChannelArn": self.pages, "Contents": self.contents_of(&self.pages).await? }))
    }

    async fn text(&self) -> Result<Value> {
        let sent = self.send(&self.pages, "🔔 déjà \0 vu", None, None).await?;
        let message = self.get(&self.pages, sent.message_id().unwrap_or_default()).await?;
        Ok(json!({ "MessageId": message.message_id, "Content": message.content }))
    }

    async fn token(&self) -> Result<Value> {
        let token = Some("once");
        let first = self.send(&self.pages, "once", None, token).await?.message_id;
        let second = self.send(&self.pages, "once", None, token).await?.message_id;
        Ok(json!({ "MessageId": first, "same": first == second }))
    }

    async fn create_user(
        &self,
        id: &str,
        name: &str,
    ) -> std::result::Result<String, SdkError<identity::operation::create_app_instance_user::CreateAppInstanceUserError>>
    {
        let create = self.identity.create_app_instance_user().app_instance_arn(&self.app);
        let user = create.app_instance_user_id(id).name(name).send().await?;
        Ok(user.app_instance_user_arn.unwrap_or_default())
    }

    async fn create_channel(&self, name: &str) -> Result<String> {
        let create = self.messaging.create_channel().app_instance_arn(&self.app).name(name);
        Ok(create.chime_bearer(&self.ann).send().await?.channel_arn.unwrap_or_default())
    }

    async fn describe(
        &self,
        messaging: &messaging::Client,
        bearer: &str,
    ) -> std::result::Result<Option<String>, SdkError<messaging::operation::describe_channel::DescribeChannelError>>
    {
        let described = messaging.describe_channel().channel_arn(&self.talk).chime_bearer(bearer).send().await?;
        Ok(described.channel.and_then(|channel| channel.name))
    }

    async fn send(
        &self,
        channel: &str,
        content: &str,
        metadata: Option<&str>,
        token: Option<&str>,
    ) -> Result<SendChannelMessageOutput> {
        let send = self.messaging.send_channel_message().channel_arn(channel).chime_bearer(&self.ann);
        Ok(send
            .content(content)
            .set_metadata(metadata.map(str::to_owned))
            .r#type(ChannelMessageType::Standard)
            .persistence(ChannelMessagePersistenceType::Persistent)
            .set_client_request_token(token.map(str::to_owned))
            .send()
            .await?)
    }

    /// Sends a message into the flow. The processor puts the CallbackId where its Metadata says.
    async fn ask(&self) -> Result<SendChannelMessageOutput> {
        self.send(&self.talk, "Call +1 212 555 0142", Some(&self.callbacks), None).await
    }

    async fn get(&self, channel: &str, message: &str) -> Result<ChannelMessage> {
        let get = self.messaging.get_channel_message().channel_arn(channel).message_id(message);
        Ok(get.chime_bearer(&self.ann).send().await?.channel_message.ok_or("no message")?)
    }

    async fn callback_of(&self, message: &str) -> Result<String> {
        for _ in 0..POLLS_MAX {
            let list = self.messaging.list_channel_messages().channel_arn(&self.callbacks).chime_bearer(&self.ann);
            let listed = list.send().await?;
            let found = listed.channel_messages().iter().find(|each| each.metadata() == Some(message));
            if let Some(callback) = found.and_then(|each| each.content()) {
                return Ok(callback.to_owned());
            }
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
        Err(format!("no CallbackId came in {POLLS_MAX} polls").into())
    }

    async fn callback(
        &self,
        callback: &str,
        message: &str,
        content: Option<&str>,
        deny: bool,
    ) -> std::result::Result<
        Option<String>,
        SdkError<messaging::operation::channel_flow_callback::ChannelFlowCallbackError>,
    > {
        let message = ChannelMessageCallback::builder()
            .message_id(message)
            .set_content(content.map(str::to_owned))
            .build()
            .map_err(SdkError::construction_failure)?;
        let verdict = self.messaging.channel_flow_callback().channel_arn(&self.talk).callback_id(callback);
        Ok(verdict.channel_message(message).delete_resource(deny).send().await?.callback_id)
    }

    /// Lets the message pass, and reads what became of it.
    async fn allow(&self, callback: &str, message: &str, content: Option<&str>) -> Result<Value> {
        let accepted = self.callback(callback, message, content, false).await?;
        for _ in 0..POLLS_MAX {
            let seen = self.get(&self.talk, message).await?;
            let status = status_of(seen.status);
            if status.as_deref() != Some(ChannelMessageStatus::Pending.as_str()) {
                return Ok(json!({
                    "MessageId": message,
                    "CallbackId": accepted,
                    "Status": status,
                    "Content": seen.content,
                }));
            }
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
        Err(format!("the message was pending for {POLLS_MAX} polls").into())
    }

    async fn contents_of(&self, channel: &str) -> Result<Vec<String>> {
        let list = self.messaging.list_channel_messages().channel_arn(channel).chime_bearer(&self.ann);
        let mut pages = list.sort_order(SortOrder::Ascending).max_results(2).into_paginator().send();
        let mut contents = Vec::new();
        while let Some(page) = pages.try_next().await? {
            contents.extend(page.channel_messages.unwrap_or_default().into_iter().filter_map(|each| each.content));
        }
        Ok(contents)
    }
}

fn status_of(status: Option<messaging::types::ChannelMessageStatusStructure>) -> Option<String> {
    Some(status?.value?.as_str().to_owned())
}

/// The class of the error, and the status of the response.
fn error_of<T, E: ProvideErrorMetadata>(result: std::result::Result<T, SdkError<E>>) -> Value {
    match result {
        Ok(_) => json!({ "error": "none" }),
        Err(error) => json!({
            "error": error.code(),
            "status": error.raw_response().map(|response| response.status().as_u16()),
        }),
    }
}
