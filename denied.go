package millrace

import (
	"errors"
	"fmt"
	"strings"

	"github.com/twmb/franz-go/pkg/kerr"

	"github.com/millrace-streams/millrace/txn"
)

// DeniedError is something that the cluster's ACLs do not let the app do, and the rule that would. It ends the app: asking
// again cannot help. What an app needs in all is a table of docs/secured.md.
type DeniedError struct {
	Resource  string // topic, group, transactional-id or cluster
	Name      string // of the resource that was refused
	Operation string // as ACLs call it: Read, Write, Create …
	Rule      string // what kafka-acls.sh is to --add, but for the principal
	Err       error  // Kafka's
}

func (e *DeniedError) Error() string {
	return fmt.Sprintf("millrace: not allowed to %s %s %q: have an administrator run kafka-acls.sh --add --allow-principal User:… %s (%v)", e.Operation, e.Resource, e.Name, e.Rule, e.Err)
}

func (e *DeniedError) Unwrap() error { return e.Err }

// denied says what an authorizer refused. Kafka's error does not name the topic and the operation: they are those of the request
// that was answered with it. It is nil if err is of another kind, or if the topic is not known.
func (p *process) denied(err error, topic, operation string) error {
	app := p.cfg.ApplicationID
	var known *DeniedError
	switch {
	case errors.As(err, &known):
		return known
	case errors.Is(err, kerr.TransactionalIDAuthorizationFailed):
		return &DeniedError{"transactional-id", app + "-*", "Write", "--operation Write --transactional-id " + app + "- --resource-pattern-type prefixed", err}
	case errors.Is(err, kerr.GroupAuthorizationFailed):
		return &DeniedError{"group", app, "Read", "--operation Read --group " + app, err}
	case errors.Is(err, kerr.ClusterAuthorizationFailed):
		return &DeniedError{"cluster", "kafka-cluster", "IdempotentWrite", "--operation IdempotentWrite --cluster", err}
	case !errors.Is(err, kerr.TopicAuthorizationFailed) || topic == "":
		return nil
	case strings.HasPrefix(topic, app+"-"): // one rule for all internal topics
		return &DeniedError{"topic", topic, operation, "--operation " + operation + " --topic " + app + "- --resource-pattern-type prefixed", err}
	}
	return &DeniedError{"topic", topic, operation, "--operation " + operation + " --topic " + topic, err}
}

// refusal is denied for an error of a producer or a commit, which says itself what it was about.
func (p *process) refusal(err error) error {
	var produced *txn.ProduceError
	var offset *txn.OffsetError
	switch {
	case errors.As(err, &produced):
		return p.denied(err, produced.Record.Topic, "Write")
	case errors.As(err, &offset):
		return p.denied(err, offset.Topic, "Read")
	}
	return p.denied(err, "", "")
}
