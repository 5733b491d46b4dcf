package millrace_test

import (
	"context"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kfake"
	"github.com/twmb/franz-go/pkg/kgo"
	"github.com/twmb/franz-go/pkg/kmsg"
	"github.com/twmb/franz-go/pkg/sasl/plain"

	"github.com/millrace-streams/millrace"
)

// guarded is a fake Kafka with ACLs, and an app's user who may do some things.
func guarded(t *testing.T, may ...kfake.ACL) (*world, millrace.Config) {
	t.Helper()
	kafka, err := kfake.NewCluster(kfake.NumBrokers(1), kfake.EnableSASL(), kfake.EnableACLs(), kfake.Superuser("PLAIN", "root", "secret"),
		kfake.User("PLAIN", "app", "secret", may...), kfake.SeedTopics(2, "in", "out"))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(kafka.Close)
	w := &world{t: t, kafka: kafka, brokers: kafka.ListenAddrs()}
	w.cl = w.client(kgo.SASL(plain.Auth{User: "root", Pass: "secret"}.AsMechanism()))
	c := w.config()
	c.Client = append(c.Client, kgo.SASL(plain.Auth{User: "app", Pass: "secret"}.AsMechanism()))
	return w, c
}

// All that the app of these tests needs.
func allowed() []kfake.ACL {
	topic, txnID, group := kmsg.ACLResourceTypeTopic, kmsg.ACLResourceTypeTransactionalId, kmsg.ACLResourceTypeGroup
	literal, prefixed := kmsg.ACLResourcePatternTypeLiteral, kmsg.ACLResourcePatternTypePrefixed
	return []kfake.ACL{
		{Resource: group, Name: "app", Pattern: literal, Operation: kmsg.ACLOperationRead, Allow: true},
		{Resource: topic, Name: "in", Pattern: literal, Operation: kmsg.ACLOperationRead, Allow: true},
		{Resource: topic, Name: "out", Pattern: literal, Operation: kmsg.ACLOperationWrite, Allow: true},
		{Resource: topic, Name: "app-", Pattern: prefixed, Operation: kmsg.ACLOperationCreate, Allow: true},
		{Resource: topic, Name: "app-", Pattern: prefixed, Operation: kmsg.ACLOperationRead, Allow: true},
		{Resource: topic, Name: "app-", Pattern: prefixed, Operation: kmsg.ACLOperationWrite, Allow: true},
		{Resource: txnID, Name: "app-", Pattern: prefixed, Operation: kmsg.ACLOperationWrite, Allow: true},
	}
}

func TestWhatTheClusterDoesNotAllowIsNamedWithTheRuleThatWould(t *testing.T) {
	for i, want := range []millrace.DeniedError{
		{Resource: "group", Name: "app", Operation: "Read", Rule: "--operation Read --group app"},
		{Resource: "topic", Name: "in", Operation: "Read", Rule: "--operation Read --topic in"},
		{Resource: "topic", Name: "out", Operation: "Write", Rule: "--operation Write --topic out"},
		{Resource: "topic", Name: "app-counts-changelog", Operation: "Create", Rule: "--operation Create --topic app- --resource-pattern-type prefixed"},
	} {
		t.Run(want.Operation+" "+want.Name, func(t *testing.T) {
			may := allowed()
			w, c := guarded(t, append(may[:i:i], may[i+1:]...)...)
			err := w.fails(countTo("out"), c)
			var got *millrace.DeniedError
			if !errors.As(err, &got) {
				t.Fatalf("the app ended with: %v", err)
			}
			cause := got.Err
			if got.Err = nil; *got != want {
				t.Errorf("denied: %+v, want %+v", *got, want)
			}
			if e, ok := errors.AsType[*kerr.Error](cause); !ok || !strings.HasSuffix(e.Message, "AUTHORIZATION_FAILED") {
				t.Errorf("Kafka's error is lost: %v", cause)
			}
		})
	}
}

// An app need not be allowed to see the settings of its own topics: it checks less then.
func TestAppRunsWithoutSeeingTheSettingsOfItsTopics(t *testing.T) {
	w, c := guarded(t, allowed()...)
	w.kafka.ControlKey(int16(kmsg.DescribeConfigs), func(r kmsg.Request) (kmsg.Response, error, bool) {
		w.kafka.KeepControl()
		answer := kmsg.NewPtrDescribeConfigsResponse()
		answer.Version = r.GetVersion()
		for _, asked := range r.(*kmsg.DescribeConfigsRequest).Resources {
			refused := kmsg.NewDescribeConfigsResponseResource()
			refused.ResourceType, refused.ResourceName, refused.ErrorCode = asked.ResourceType, asked.ResourceName, kerr.TopicAuthorizationFailed.Code
			answer.Resources = append(answer.Resources, refused)
		}
		return answer, nil, true
	})
	app, end := w.run(countTo("out"), c)
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	if err := app.WaitFor(ctx, millrace.Running); err != nil {
		t.Error(err)
	}
	if err := end(); err != nil {
		t.Error(err)
	}
}

func TestWrongPasswordIsSaidAtOnce(t *testing.T) {
	w, c := guarded(t, allowed()...)
	w.kafka.ControlKey(int16(kmsg.SASLAuthenticate), func(r kmsg.Request) (kmsg.Response, error, bool) {
		w.kafka.KeepControl()
		refused := kmsg.NewPtrSASLAuthenticateResponse() // kfake itself hangs up without a word
		refused.Version, refused.ErrorCode = r.GetVersion(), kerr.SaslAuthenticationFailed.Code
		return refused, nil, true
	})
	err := w.fails(countTo("out"), c)
	says(t, err, "password", "Config.Client")
	if unreachable, ok := errors.AsType[*millrace.UnreachableError](err); ok {
		t.Errorf("brokers that answer are called unreachable: %v", unreachable)
	}
}
