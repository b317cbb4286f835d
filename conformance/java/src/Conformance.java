import java.io.PrintStream;
import java.net.URI;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.UUID;
import java.util.function.Supplier;
import java.util.stream.Collectors;
import java.util.stream.IntStream;
import software.amazon.awssdk.auth.credentials.AwsBasicCredentials;
import software.amazon.awssdk.auth.credentials.StaticCredentialsProvider;
import software.amazon.awssdk.awscore.exception.AwsServiceException;
import software.amazon.awssdk.core.util.VersionInfo;
import software.amazon.awssdk.regions.Region;
import software.amazon.awssdk.services.chimesdkidentity.ChimeSdkIdentityClient;
import software.amazon.awssdk.services.chimesdkmessaging.ChimeSdkMessagingClient;
import software.amazon.awssdk.services.chimesdkmessaging.model.*;

/** The steps of ../steps.tsv with the AWS SDK for Java 2: Conformance URL REGION ACCESS_KEY SECRET_KEY */
public final class Conformance {
    private static final int POLLS_MAX = 300;

    private final String endpoint;
    private final String region;
    private final String accessKey;
    private final String secretKey;
    private final ChimeSdkIdentityClient identity;
    private final ChimeSdkMessagingClient messaging;

    private String app;
    private String ann;
    private String talk;
    private String callbacks;
    private String pages;
    private SendChannelMessageResponse message;
    private ChannelFlowCallbackRequest unchanged;
    private ChannelFlowCallbackRequest denied;

    private Conformance(String endpoint, String region, String accessKey, String secretKey) {
        this.endpoint = endpoint;
        this.region = region;
        this.accessKey = accessKey;
        this.secretKey = secretKey;
        messaging = messagingAt(endpoint, accessKey);
        identity = ChimeSdkIdentityClient.builder()
            .endpointOverride(URI.create(endpoint))
            .region(Region.of(region))
            .credentialsProvider(credentials(accessKey))
            .build();
    }

    public static void main(String[] args) throws Exception {
        var program = new Conformance(args[0], args[1], args[2], args[3]);
        var output = new PrintStream(System.out, true, StandardCharsets.UTF_8);
        output.println(json(Map.of("version", "aws-sdk-java " + VersionInfo.SDK_VERSION)));
        for (var line : Files.readAllLines(Path.of("../steps.tsv")).stream().skip(1).toList()) {
            var columns = line.split("\t");
            var printed = new LinkedHashMap<String, Object>();
            printed.put("step", Integer.parseInt(columns[0]));
            printed.putAll(program.step(columns[1]));
            output.println(json(printed));
        }
    }

    private Map<String, Object> step(String name) throws InterruptedException {
        return switch (name) {
            case "identity" -> identity();
            case "channel" -> channel();
            case "flow" -> flow();
            case "send" -> {
                message = ask();
                yield Map.of("MessageId", message.messageId(), "Status", message.status().valueAsString());
            }
            case "poll" -> poll();
            case "callback unchanged" -> allow(unchanged);
            case "callback changed" -> {
                var verdict = verdictFor(ask().messageId());
                var changed = verdict.channelMessage().toBuilder().content("Call [phone]").build();
                yield allow(verdict.toBuilder().channelMessage(changed).build());
            }
            case "callback denied" -> {
                denied = verdictFor(ask().messageId()).toBuilder().deleteResource(true).build();
                var accepted = messaging.channelFlowCallback(denied);
                yield Map.of(
                    "MessageId", denied.channelMessage().messageId(),
                    "CallbackId", accepted.callbackId(),
                    "Contents", contentsOf(talk));
            }
            case "bad request" -> errorOf(() -> messaging.channelFlowCallback(unchanged));
            case "forbidden" -> errorOf(() -> messaging.channelFlowCallback(denied));
            case "conflict" -> errorOf(() -> createUser("ann", "Another Ann"));
            case "not found" -> {
                var bob = createUser("bob", "Bob");
                yield errorOf(() -> messaging.describeChannelMembership(
                    request -> request.channelArn(talk).memberArn(bob).chimeBearer(ann)));
            }
            case "unauthorized" -> errorOf(() -> describe(messaging, app + "/user/nobody"));
            case "limit exceeded" -> {
                tag(IntStream.range(0, 50).mapToObj(number -> "tag " + number).toList());
                yield errorOf(() -> tag(List.of("one more")));
            }
            case "unknown key" -> errorOf(() -> describe(messagingAt(endpoint, "AKIDUNKNOWN000000000"), ann));
            case "unknown operation" -> errorOf(() -> describe(messagingAt(endpoint + "/nowhere", accessKey), ann));
            case "paging" -> {
                pages = createChannel("pages");
                for (var content : List.of("1", "2", "3", "4", "5")) {
                    messaging.sendChannelMessage(message(pages, content).build());
                }
                yield Map.of("ChannelArn", pages, "Contents", contentsOf(pages));
            }
            case "text" -> {
                var sent = messaging.sendChannelMessage(message(pages, "🔔 déjà \0 vu").build());
                yield Map.of("MessageId", sent.messageId(), "Content", get(pages, sent.messageId()).content());
            }
            case "token" -> {
                var once = message(pages, "once").clientRequestToken(UUID.randomUUID().toString()).build();
                var first = messaging.sendChannelMessage(once).messageId();
                var second = messaging.sendChannelMessage(once).messageId();
                yield Map.of("MessageId", first, "same", first.equals(second));
            }
            case "presigned" -> Map.of("lacks", "the AWS SDK for Java presigns calls of a few other services only");
            default -> Map.of("lacks", "not in this program");
        };
    }

    private Map<String, Object> identity() {
        app = identity.createAppInstance(request -> request.name("conformance")).appInstanceArn();
        ann = createUser("ann", "Ann");
        var described = identity.describeAppInstanceUser(request -> request.appInstanceUserArn(ann));
        return Map.of(
            "AppInstanceArn", app, "AppInstanceUserArn", ann, "Name", described.appInstanceUser().name());
    }

    private Map<String, Object> channel() {
        talk = createChannel("talk");
        callbacks = createChannel("callbacks");
        return Map.of("ChannelArn", talk, "Name", describe(messaging, ann).channel().name());
    }

    private Map<String, Object> flow() {
        var function = "arn:aws:lambda:%s:%s:function:conformance".formatted(region, app.split(":")[4]);
        var processor = Processor.builder()
            .name("ask")
            .configuration(configuration -> configuration.lambda(
                lambda -> lambda.resourceArn(function).invocationType(InvocationType.ASYNC)))
            .executionOrder(1)
            .fallbackAction(FallbackAction.ABORT)
            .build();
        var flow = messaging.createChannelFlow(
            request -> request.appInstanceArn(app).name("ask").processors(processor)).channelFlowArn();
        messaging.associateChannelFlow(request -> request.channelArn(talk).channelFlowArn(flow).chimeBearer(ann));
        var described = messaging.describeChannelFlow(request -> request.channelFlowArn(flow));
        return Map.of("ChannelFlowArn", flow, "Name", described.channelFlow().name());
    }

    private Map<String, Object> poll() throws InterruptedException {
        var seen = messaging.getChannelMessageStatus(
            request -> request.channelArn(talk).messageId(message.messageId()).chimeBearer(ann));
        unchanged = verdictFor(message.messageId());
        return Map.of("CallbackId", unchanged.callbackId(), "Status", seen.status().valueAsString());
    }

    private String createUser(String id, String name) {
        return identity.createAppInstanceUser(
            request -> request.appInstanceArn(app).appInstanceUserId(id).name(name)).appInstanceUserArn();
    }

    private String createChannel(String name) {
        return messaging.createChannel(
            request -> request.appInstanceArn(app).name(name).chimeBearer(ann)).channelArn();
    }

    private DescribeChannelResponse describe(ChimeSdkMessagingClient client, String bearer) {
        return client.describeChannel(request -> request.channelArn(talk).chimeBearer(bearer));
    }

    private TagResourceResponse tag(List<String> keys) {
        var tags = keys.stream().map(key -> Tag.builder().key(key).value("x").build()).toList();
        return messaging.tagResource(request -> request.resourceARN(app).tags(tags));
    }

    private SendChannelMessageRequest.Builder message(String channel, String content) {
        return SendChannelMessageRequest.builder()
            .channelArn(channel)
            .chimeBearer(ann)
            .content(content)
            .type(ChannelMessageType.STANDARD)
            .persistence(ChannelMessagePersistenceType.PERSISTENT);
    }

    /** Sends a message into the flow. The processor puts the CallbackId where its Metadata says. */
    private SendChannelMessageResponse ask() {
        return messaging.sendChannelMessage(message(talk, "Call +1 212 555 0142").metadata(callbacks).build());
    }

    private ChannelMessage get(String channel, String messageId) {
        return messaging.getChannelMessage(
            request -> request.channelArn(channel).messageId(messageId).chimeBearer(ann)).channelMessage();
    }

    /** Waits for the CallbackId. The callback lets the message pass as it is. */
    private ChannelFlowCallbackRequest verdictFor(String messageId) throws InterruptedException {
        var callbackId = poll(() -> messaging
            .listChannelMessages(request -> request.channelArn(callbacks).chimeBearer(ann))
            .channelMessages().stream()
            .filter(each -> messageId.equals(each.metadata()))
            .map(ChannelMessageSummary::content)
            .findFirst().orElse(null));
        return ChannelFlowCallbackRequest.builder()
            .channelArn(talk)
            .callbackId(callbackId)
            .channelMessage(callback -> callback.messageId(messageId))
            .build();
    }

    /** Lets the message pass, and reads what became of it. */
    private Map<String, Object> allow(ChannelFlowCallbackRequest verdict) throws InterruptedException {
        var accepted = messaging.channelFlowCallback(verdict);
        var seen = poll(() -> {
            var found = get(talk, verdict.channelMessage().messageId());
            return found.status().value() == ChannelMessageStatus.PENDING ? null : found;
        });
        return Map.of(
            "MessageId", seen.messageId(),
            "CallbackId", accepted.callbackId(),
            "Status", seen.status().valueAsString(),
            "Content", seen.content());
    }

    private List<String> contentsOf(String channel) {
        return messaging
            .listChannelMessagesPaginator(request ->
                request.channelArn(channel).chimeBearer(ann).sortOrder(SortOrder.ASCENDING).maxResults(2))
            .stream()
            .flatMap(page -> page.channelMessages().stream())
            .map(ChannelMessageSummary::content)
            .toList();
    }

    private ChimeSdkMessagingClient messagingAt(String endpoint, String accessKey) {
        return ChimeSdkMessagingClient.builder()
            .endpointOverride(URI.create(endpoint))
            .region(Region.of(region))
            .credentialsProvider(credentials(accessKey))
            .build();
    }

    private StaticCredentialsProvider credentials(String accessKey) {
        return StaticCredentialsProvider.create(AwsBasicCredentials.create(accessKey, secretKey));
    }

    /** The class of the exception, and the status of the response. */
    private static Map<String, Object> errorOf(Supplier<?> call) {
        try {
            call.get();
            return Map.of("error", "none");
        } catch (AwsServiceException error) {
            return Map.of("error", error.awsErrorDetails().errorCode(), "status", error.statusCode());
        }
    }

    private static <T> T poll(Supplier<T> look) throws InterruptedException {
        for (var polls = 0; polls < POLLS_MAX; polls++) {
            var found = look.get();
            if (found != null) {
                return found;
            }
            Thread.sleep(100);
        }
        throw new IllegalStateException("nothing came in " + POLLS_MAX + " polls");
    }

    private static String json(Object value) {
        if (value instanceof Map<?, ?> map) {
            return map.entrySet().stream()
                .map(entry -> json(entry.getKey()) + ":" + json(entry.getValue()))
                .collect(Collectors.joining(",", "{", "}"));
        }
        if (value instanceof List<?> list) {
            return list.stream().map(Conformance::json).collect(Collectors.joining(",", "[", "]"));
        }
        if (value instanceof String text) {
            return text.chars()
                .mapToObj(each -> each < ' ' || each == '"' || each == '\\'
                    ? "\\u%04x".formatted(each)
                    : String.valueOf((char) each))
                .collect(Collectors.joining("", "\"", "\""));
        }
        return String.valueOf(value);
    }
}
