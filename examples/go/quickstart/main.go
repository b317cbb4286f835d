// A moderated channel in Go: go run ./quickstart http://127.0.0.1:8080
package main

import (
	"fmt"
	"os"
	"time"

	"github.com/aws/aws-sdk-go/aws"
	"github.com/aws/aws-sdk-go/aws/session"
	identity "github.com/aws/aws-sdk-go/service/chimesdkidentity"
	messaging "github.com/aws/aws-sdk-go/service/chimesdkmessaging"
)

func main() {
	// Region and key come from the environment: docs/clients.md.
	session := session.Must(session.NewSessionWithOptions(session.Options{
		SharedConfigState: session.SharedConfigEnable,
		Config:            aws.Config{Endpoint: aws.String(os.Args[1])},
	}))
	users, chat := identity.New(session), messaging.New(session)

	// An AppInstance is one application with its users and channels.
	app := must(users.CreateAppInstance(&identity.CreateAppInstanceInput{Name: aws.String("quickstart")})).AppInstanceArn
	ann := must(users.CreateAppInstanceUser(&identity.CreateAppInstanceUserInput{
		AppInstanceArn: app, AppInstanceUserId: aws.String("ann"), Name: aws.String("Ann"),
	})).AppInstanceUserArn
	talk := must(chat.CreateChannel(&messaging.CreateChannelInput{
		AppInstanceArn: app, Name: aws.String("talk"), ChimeBearer: ann,
	})).ChannelArn

	// The flow holds each message until its processor, a Lambda function, has decided.
	flow := must(chat.CreateChannelFlow(&messaging.CreateChannelFlowInput{
		AppInstanceArn: app, Name: aws.String("redact"), Processors: []*messaging.Processor{{
			Name: aws.String("redact"), ExecutionOrder: aws.Int64(1), FallbackAction: aws.String("ABORT"),
			Configuration: &messaging.ProcessorConfiguration{Lambda: &messaging.LambdaConfiguration{
				ResourceArn:    aws.String("arn:aws:lambda:us-east-1:000000000000:function:redact-personal-data"),
				InvocationType: aws.String("ASYNC"),
			}},
		}},
	})).ChannelFlowArn
	must(chat.AssociateChannelFlow(&messaging.AssociateChannelFlowInput{
		ChannelArn: talk, ChannelFlowArn: flow, ChimeBearer: ann,
	}))

	// The sender's response comes at once: the message is PENDING.
	sent := must(chat.SendChannelMessage(&messaging.SendChannelMessageInput{
		ChannelArn: talk, ChimeBearer: ann, Content: aws.String("Call +1 212 555 0142"),
		Type: aws.String("STANDARD"), Persistence: aws.String("PERSISTENT"),
	}))
	look := &messaging.GetChannelMessageStatusInput{ChannelArn: talk, ChimeBearer: ann, MessageId: sent.MessageId}
	for *must(chat.GetChannelMessageStatus(look)).Status.Value == "PENDING" {
		time.Sleep(100 * time.Millisecond)
	}

	list := &messaging.ListChannelMessagesInput{ChannelArn: talk, ChimeBearer: ann}
	for _, message := range must(chat.ListChannelMessages(list)).ChannelMessages {
		fmt.Println(*message.Status.Value, *message.Content)
	}
}

func must[T any](output T, err error) T {
	if err != nil {
		panic(err)
	}
	return output
}
