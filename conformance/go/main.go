// The steps of ../steps.tsv with the AWS SDK for Go: conformance URL REGION ACCESS_KEY SECRET_KEY
package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"log"
	"net/http"
	"os"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go/aws"
	"github.com/aws/aws-sdk-go/aws/awserr"
	"github.com/aws/aws-sdk-go/aws/credentials"
	"github.com/aws/aws-sdk-go/aws/session"
	"github.com/aws/aws-sdk-go/service/chimesdkidentity"
	"github.com/aws/aws-sdk-go/service/chimesdkmessaging"
)

const pollsMax = 300

// result is what a step prints, besides its number.
type result map[string]any

// program keeps what one step leaves to the next ones.
type program struct {
	endpoint, region, accessKey, secretKey string
	identity                               *chimesdkidentity.ChimeSDKIdentity
	messaging                              *chimesdkmessaging.ChimeSDKMessaging

	app, ann, talk, callbacks, pages *string
	message, callback                *string
	unchanged, denied                *chimesdkmessaging.ChannelFlowCallbackInput
}

func main() {
	log.SetFlags(0)
	if len(os.Args) != 5 {
		log.Fatal("usage: conformance URL REGION ACCESS_KEY SECRET_KEY")
	}
	p := &program{endpoint: os.Args[1], region: os.Args[2], accessKey: os.Args[3], secretKey: os.Args[4]}
	p.identity = chimesdkidentity.New(p.session(p.endpoint, p.accessKey))
	p.messaging = chimesdkmessaging.New(p.session(p.endpoint, p.accessKey))

	table, err := os.ReadFile("../steps.tsv")
	if err != nil {
		log.Fatal(err)
	}
	output := json.NewEncoder(os.Stdout)
	output.Encode(result{"version": "aws-sdk-go " + aws.SDKVersion})
	for _, line := range strings.Split(strings.TrimSpace(string(table)), "\n")[1:] {
		columns := strings.Split(line, "\t")
		printed, err := p.step(columns[1])
		if err != nil {
			log.Fatalf("step %s: %v", columns[0], err)
		}
		printed["step"] = json.Number(columns[0])
		output.Encode(printed)
	}
}

func (p *program) session(endpoint, accessKey string) *session.Session {
	return session.Must(session.NewSession(&aws.Config{
		Endpoint:    &endpoint,
		Region:      &p.region,
		Credentials: credentials.NewStaticCredentials(accessKey, p.secretKey, ""),
	}))
}

func (p *program) step(name string) (result, error) {
	switch name {
	case "identity":
		return p.doIdentity()
	case "channel":
		return p.doChannel()
	case "flow":
		return p.doFlow()
	case "send":
		return p.doSend()
	case "poll":
		return p.doPoll()
	case "callback unchanged":
		return p.doCallbackUnchanged()
	case "callback changed":
		return p.doCallbackChanged()
	case "callback denied":
		return p.doCallbackDenied()
	case "bad request":
		_, err := p.messaging.ChannelFlowCallback(p.unchanged)
		return errorOf(err), nil
	case "forbidden":
		_, err := p.messaging.ChannelFlowCallback(p.denied)
		return errorOf(err), nil
	case "conflict":
		_, err := p.createUser("ann", "Another Ann")
		return errorOf(err), nil
	case "not found":
		return p.doNotFound()
	case "unauthorized":
		return errorOf(p.describe(p.messaging, aws.String(*p.app+"/user/nobody"))), nil
	case "limit exceeded":
		return p.doLimitExceeded()
	case "unknown key":
		return errorOf(p.describe(chimesdkmessaging.New(p.session(p.endpoint, "AKIDUNKNOWN000000000")), p.ann)), nil
	case "unknown operation":
		return errorOf(p.describe(chimesdkmessaging.New(p.session(p.endpoint+"/nowhere", p.accessKey)), p.ann)), nil
	case "paging":
		return p.doPaging()
	case "text":
		return p.doText()
	case "token":
		return p.doToken()
	case "presigned":
		return p.doPresigned()
	}
	return result{"lacks": "not in this program"}, nil
}

func (p *program) doIdentity() (result, error) {
	app, err := p.identity.CreateAppInstance(&chimesdkidentity.CreateAppInstanceInput{
		Name: aws.String("conformance"),
	})
	if err != nil {
		return nil, err
	}
	p.app = app.AppInstanceArn
	if p.ann, err = p.createUser("ann", "Ann"); err != nil {
		return nil, err
	}
	described, err := p.identity.DescribeAppInstanceUser(&chimesdkidentity.DescribeAppInstanceUserInput{
		AppInstanceUserArn: p.ann,
	})
	if err != nil {
		return nil, err
	}
	return result{"AppInstanceArn": p.app, "AppInstanceUserArn": p.ann, "Name": described.AppInstanceUser.Name}, nil
}

func (p *program) doChannel() (result, error) {
	var err error
	if p.talk, err = p.createChannel("talk"); err != nil {
		return nil, err
	}
	if p.callbacks, err = p.createChannel("callbacks"); err != nil {
		return nil, err
	}
	described, err := p.messaging.DescribeChannel(&chimesdkmessaging.DescribeChannelInput{
		ChannelArn:  p.talk,
		ChimeBearer: p.ann,
	})
	if err != nil {
		return nil, err
	}
	return result{"ChannelArn": p.talk, "Name": described.Channel.Name}, nil
}

func (p *program) doFlow() (result, error) {
	account := strings.Split(*p.app, ":")[4]
	function := fmt.Sprintf("arn:aws:lambda:%s:%s:function:conformance", p.region, account)
	flow, err := p.messaging.CreateChannelFlow(&chimesdkmessaging.CreateChannelFlowInput{
		AppInstanceArn: p.app,
		Name:           aws.String("ask"),
		Processors: []*chimesdkmessaging.Processor{{
			Name: aws.String("ask"),
			Configuration: &chimesdkmessaging.ProcessorConfiguration{
				Lambda: &chimesdkmessaging.LambdaConfiguration{
					ResourceArn:    &function,
					InvocationType: aws.String(chimesdkmessaging.InvocationTypeAsync),
				},
			},
			ExecutionOrder: aws.Int64(1),
			FallbackAction: aws.String(chimesdkmessaging.FallbackActionAbort),
		}},
	})
	if err != nil {
		return nil, err
	}
	if _, err = p.messaging.AssociateChannelFlow(&chimesdkmessaging.AssociateChannelFlowInput{
		ChannelArn:     p.talk,
		ChannelFlowArn: flow.ChannelFlowArn,
		ChimeBearer:    p.ann,
	}); err != nil {
		return nil, err
	}
	described, err := p.messaging.DescribeChannelFlow(&chimesdkmessaging.DescribeChannelFlowInput{
		ChannelFlowArn: flow.ChannelFlowArn,
	})
	if err != nil {
		return nil, err
	}
	return result{"ChannelFlowArn": flow.ChannelFlowArn, "Name": described.ChannelFlow.Name}, nil
}

func (p *program) doSend() (result, error) {
	sent, err := p.ask()
	if err != nil {
		return nil, err
	}
	p.message = sent.MessageId
	return result{"MessageId": sent.MessageId, "Status": sent.Status.Value}, nil
}

func (p *program) doPoll() (result, error) {
	seen, err := p.messaging.GetChannelMessageStatus(&chimesdkmessaging.GetChannelMessageStatusInput{
		ChannelArn:  p.talk,
		ChimeBearer: p.ann,
		MessageId:   p.message,
	})
	if err != nil {
		return nil, err
	}
	if p.callback, err = p.callbackOf(p.message); err != nil {
		return nil, err
	}
	return result{"CallbackId": p.callback, "Status": seen.Status.Value}, nil
}

func (p *program) doCallbackUnchanged() (result, error) {
	p.unchanged = &chimesdkmessaging.ChannelFlowCallbackInput{
		ChannelArn:     p.talk,
		CallbackId:     p.callback,
		ChannelMessage: &chimesdkmessaging.ChannelMessageCallback{MessageId: p.message},
	}
	return p.allow(p.unchanged)
}

func (p *program) doCallbackChanged() (result, error) {
	verdict, err := p.askForVerdict()
	if err != nil {
		return nil, err
	}
	verdict.ChannelMessage.Content = aws.String("Call [phone]")
	return p.allow(verdict)
}

func (p *program) doCallbackDenied() (result, error) {
	verdict, err := p.askForVerdict()
	if err != nil {
		return nil, err
	}
	p.denied = verdict
	p.denied.DeleteResource = aws.Bool(true)
	accepted, err := p.messaging.ChannelFlowCallback(p.denied)
	if err != nil {
		return nil, err
	}
	contents, err := p.contentsOf(p.talk)
	return result{
		"MessageId":  verdict.ChannelMessage.MessageId,
		"CallbackId": accepted.CallbackId,
		"Contents":   contents,
	}, err
}

func (p *program) doNotFound() (result, error) {
	bob, err := p.createUser("bob", "Bob")
	if err != nil {
		return nil, err
	}
	_, err = p.messaging.DescribeChannelMembership(&chimesdkmessaging.DescribeChannelMembershipInput{
		ChannelArn:  p.talk,
		ChimeBearer: p.ann,
		MemberArn:   bob,
	})
	return errorOf(err), nil
}

func (p *program) doLimitExceeded() (result, error) {
	tag := func(keys ...string) error {
		var tags []*chimesdkmessaging.Tag
		for _, key := range keys {
			tags = append(tags, &chimesdkmessaging.Tag{Key: aws.String(key), Value: aws.String("x")})
		}
		_, err := p.messaging.TagResource(&chimesdkmessaging.TagResourceInput{ResourceARN: p.app, Tags: tags})
		return err
	}
	var keys []string
	for number := range 50 {
		keys = append(keys, fmt.Sprintf("tag %d", number))
	}
	if err := tag(keys...); err != nil {
		return nil, err
	}
	return errorOf(tag("one more")), nil
}

func (p *program) doPaging() (result, error) {
	var err error
	if p.pages, err = p.createChannel("pages"); err != nil {
		return nil, err
	}
	for _, content := range []string{"1", "2", "3", "4", "5"} {
		if _, err = p.messaging.SendChannelMessage(p.messageTo(p.pages, content)); err != nil {
			return nil, err
		}
	}
	contents, err := p.contentsOf(p.pages)
	return result{"ChannelArn": p.pages, "Contents": contents}, err
}

func (p *program) doText() (result, error) {
	sent, err := p.messaging.SendChannelMessage(p.messageTo(p.pages, "🔔 déjà \x00 vu"))
	if err != nil {
		return nil, err
	}
	message, err := p.get(p.pages, sent.MessageId)
	if err != nil {
		return nil, err
	}
	return result{"MessageId": sent.MessageId, "Content": message.Content}, nil
}

func (p *program) doToken() (result, error) {
	message := p.messageTo(p.pages, "once")
	message.ClientRequestToken = aws.String(fmt.Sprint("once-", time.Now().UnixNano()))
	first, err := p.messaging.SendChannelMessage(message)
	if err != nil {
		return nil, err
	}
	second, err := p.messaging.SendChannelMessage(message)
	if err != nil {
		return nil, err
	}
	return result{"MessageId": first.MessageId, "same": *first.MessageId == *second.MessageId}, nil
}

func (p *program) doPresigned() (result, error) {
	describe, _ := p.messaging.DescribeChannelRequest(&chimesdkmessaging.DescribeChannelInput{
		ChannelArn:  p.talk,
		ChimeBearer: p.ann,
	})
	url, headers, err := describe.PresignRequest(time.Minute)
	if err != nil {
		return nil, err
	}
	request, err := http.NewRequest(http.MethodGet, url, nil)
	if err != nil {
		return nil, err
	}
	request.Header = headers
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		return nil, err
	}
	defer response.Body.Close()
	var described struct{ Channel struct{ Name string } }
	err = json.NewDecoder(response.Body).Decode(&described)
	return result{"status": response.StatusCode, "Name": described.Channel.Name}, err
}

func (p *program) createUser(id, name string) (*string, error) {
	user, err := p.identity.CreateAppInstanceUser(&chimesdkidentity.CreateAppInstanceUserInput{
		AppInstanceArn:    p.app,
		AppInstanceUserId: &id,
		Name:              &name,
	})
	if err != nil {
		return nil, err
	}
	return user.AppInstanceUserArn, nil
}

func (p *program) createChannel(name string) (*string, error) {
	channel, err := p.messaging.CreateChannel(&chimesdkmessaging.CreateChannelInput{
		AppInstanceArn: p.app,
		ChimeBearer:    p.ann,
		Name:           &name,
	})
	if err != nil {
		return nil, err
	}
	return channel.ChannelArn, nil
}

func (p *program) describe(messaging *chimesdkmessaging.ChimeSDKMessaging, bearer *string) error {
	_, err := messaging.DescribeChannel(&chimesdkmessaging.DescribeChannelInput{ChannelArn: p.talk, ChimeBearer: bearer})
	return err
}

func (p *program) messageTo(channel *string, content string) *chimesdkmessaging.SendChannelMessageInput {
	return &chimesdkmessaging.SendChannelMessageInput{
		ChannelArn:  channel,
		ChimeBearer: p.ann,
		Content:     &content,
		Type:        aws.String(chimesdkmessaging.ChannelMessageTypeStandard),
		Persistence: aws.String(chimesdkmessaging.ChannelMessagePersistenceTypePersistent),
	}
}

// ask sends a message into the flow. The processor puts the CallbackId where its Metadata says.
func (p *program) ask() (*chimesdkmessaging.SendChannelMessageOutput, error) {
	message := p.messageTo(p.talk, "Call +1 212 555 0142")
	message.Metadata = p.callbacks
	return p.messaging.SendChannelMessage(message)
}

// askForVerdict sends a message and returns the callback that lets it pass.
func (p *program) askForVerdict() (*chimesdkmessaging.ChannelFlowCallbackInput, error) {
	sent, err := p.ask()
	if err != nil {
		return nil, err
	}
	callback, err := p.callbackOf(sent.MessageId)
	if err != nil {
		return nil, err
	}
	return &chimesdkmessaging.ChannelFlowCallbackInput{
		ChannelArn:     p.talk,
		CallbackId:     callback,
		ChannelMessage: &chimesdkmessaging.ChannelMessageCallback{MessageId: sent.MessageId},
	}, nil
}

func (p *program) get(channel, message *string) (*chimesdkmessaging.ChannelMessage, error) {
	output, err := p.messaging.GetChannelMessage(&chimesdkmessaging.GetChannelMessageInput{
		ChannelArn:  channel,
		ChimeBearer: p.ann,
		MessageId:   message,
	})
	if err != nil {
		return nil, err
	}
	return output.ChannelMessage, nil
}

func (p *program) callbackOf(message *string) (*string, error) {
	return poll(func() (*string, error) {
		listed, err := p.messaging.ListChannelMessages(&chimesdkmessaging.ListChannelMessagesInput{
			ChannelArn:  p.callbacks,
			ChimeBearer: p.ann,
		})
		if err != nil {
			return nil, err
		}
		for _, each := range listed.ChannelMessages {
			if aws.StringValue(each.Metadata) == *message {
				return each.Content, nil
			}
		}
		return nil, nil
	})
}

// allow lets the message pass, and reads what became of it.
func (p *program) allow(verdict *chimesdkmessaging.ChannelFlowCallbackInput) (result, error) {
	accepted, err := p.messaging.ChannelFlowCallback(verdict)
	if err != nil {
		return nil, err
	}
	message, err := poll(func() (*chimesdkmessaging.ChannelMessage, error) {
		message, err := p.get(p.talk, verdict.ChannelMessage.MessageId)
		if err != nil || *message.Status.Value == chimesdkmessaging.ChannelMessageStatusPending {
			return nil, err
		}
		return message, nil
	})
	if err != nil {
		return nil, err
	}
	return result{
		"MessageId":  message.MessageId,
		"CallbackId": accepted.CallbackId,
		"Status":     message.Status.Value,
		"Content":    message.Content,
	}, nil
}

func (p *program) contentsOf(channel *string) ([]*string, error) {
	var contents []*string
	err := p.messaging.ListChannelMessagesPages(&chimesdkmessaging.ListChannelMessagesInput{
		ChannelArn:  channel,
		ChimeBearer: p.ann,
		SortOrder:   aws.String(chimesdkmessaging.SortOrderAscending),
		MaxResults:  aws.Int64(2),
	}, func(page *chimesdkmessaging.ListChannelMessagesOutput, _ bool) bool {
		for _, message := range page.ChannelMessages {
			contents = append(contents, message.Content)
		}
		return true
	})
	return contents, err
}

// errorOf returns the class of an error of the service, and the status of the response.
func errorOf(err error) result {
	var failure awserr.RequestFailure
	if !errors.As(err, &failure) {
		return result{"error": fmt.Sprint(err)}
	}
	return result{"error": failure.Code(), "status": failure.StatusCode()}
}

// poll looks until there is something.
func poll[T any](look func() (*T, error)) (*T, error) {
	for range pollsMax {
		if found, err := look(); found != nil || err != nil {
			return found, err
		}
		time.Sleep(100 * time.Millisecond)
	}
	return nil, fmt.Errorf("nothing came in %d polls", pollsMax)
}
