// A channel flow processor in Go, behind Lambda's Invoke API: go run ./processor 9000 http://127.0.0.1:8080
package main

import (
	"encoding/json"
	"fmt"
	"log"
	"net"
	"net/http"
	"os"
	"regexp"

	"github.com/aws/aws-sdk-go/aws"
	"github.com/aws/aws-sdk-go/aws/session"
	messaging "github.com/aws/aws-sdk-go/service/chimesdkmessaging"
)

// Event is what the processor gets about a message.
type Event struct {
	CallbackId     string
	ChannelMessage struct {
		ChannelArn, MessageId, Content string
		Metadata                       *string
	}
}

var phone = regexp.MustCompile(`\+\d[\d ]{6,14}\d`)

func main() {
	chime := messaging.New(session.Must(session.NewSessionWithOptions(session.Options{
		SharedConfigState: session.SharedConfigEnable,
		Config:            aws.Config{Endpoint: aws.String(os.Args[2])},
	})))

	// A function that is not there is a 404: Carillon then runs the FallbackAction.
	http.HandleFunc("POST /2015-03-31/functions/redact-go/invocations", func(w http.ResponseWriter, r *http.Request) {
		var event Event
		err := json.NewDecoder(r.Body).Decode(&event)
		if err == nil {
			err = redact(chime, event)
		}
		if err != nil { // Carillon sends the event again after one minute, and after two more.
			log.Print(err)
			w.Header().Set("X-Amz-Function-Error", "Unhandled")
		}
	})

	listener, err := net.Listen("tcp", "127.0.0.1:"+os.Args[1])
	if err != nil {
		log.Fatal(err)
	}
	fmt.Printf("listening on port %d\n", listener.Addr().(*net.TCPAddr).Port)
	log.Fatal(http.Serve(listener, nil))
}

// redact replaces phone numbers. The verdict is the callback.
func redact(chime *messaging.ChimeSDKMessaging, event Event) error {
	message := event.ChannelMessage
	_, err := chime.ChannelFlowCallback(&messaging.ChannelFlowCallbackInput{
		ChannelArn: &message.ChannelArn,
		CallbackId: &event.CallbackId,
		ChannelMessage: &messaging.ChannelMessageCallback{
			MessageId: &message.MessageId,
			Content:   aws.String(phone.ReplaceAllString(message.Content, "[phone]")),
			Metadata:  message.Metadata,
		},
	})
	return err
}
