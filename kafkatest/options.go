package kafkatest

import (
	"fmt"
	"maps"
	"os"
	"slices"
	"strings"

	"github.com/millrace-streams/millrace/internal/testkafka"
)

// An Option asks something of a cluster.
type Option func(*asked)

// asked is all that a test asks for.
type asked struct {
	version    string
	brokers    int
	tls        bool
	certs      bool
	scram      bool
	acls       bool
	properties map[string]string
	faults     bool
	real       bool
	orSkip     bool
	ways       []Way
}

// Version asks for a version of Kafka, as 3.9.1, or 3.9 for its newest patch release. It rules out KAFKA_BROKERS and
// kfake. The default is whatever is there: 4.3.1 where there is a choice.
func Version(version string) Option { return func(a *asked) { a.version = version } }

// Brokers asks for n brokers, 1 to 5; the default is 1. Topics get min(n, 3) replicas unless they say otherwise, of
// which all but one must be in sync for a write.
func Brokers(n int) Option { return func(a *asked) { a.brokers = n } }

// TLS asks for a listener that is encrypted. Certificates are made for this cluster; Client knows them.
func TLS() Option { return func(a *asked) { a.tls = true } }

// ClientCertificates asks for a listener that is encrypted and lets in only clients with a certificate, which is who
// they are: a User's principal is User:CN=name.
func ClientCertificates() Option { return func(a *asked) { a.tls, a.certs = true, true } }

// SCRAM asks for a listener that wants a name and a password (SASL/SCRAM-SHA-256). Together with TLS it is SASL_SSL.
func SCRAM() Option { return func(a *asked) { a.scram = true } }

// ACLs asks for a cluster that allows nothing to anybody but its administrator, until Allow. It needs SCRAM or
// ClientCertificates, since somebody who is nobody can be allowed nothing.
func ACLs() Option { return func(a *asked) { a.acls = true } }

// Property sets a setting of every broker, over those that make tests fast. It rules out KAFKA_BROKERS and kfake.
func Property(key, value string) Option {
	return func(a *asked) {
		if a.properties == nil {
			a.properties = map[string]string{}
		}
		a.properties[key] = value
	}
}

// Faults says that the test will kill, stop or pause brokers, which rules out KAFKA_BROKERS and kfake. Faults of the
// network need no option.
func Faults() Option { return func(a *asked) { a.faults = true } }

// Real rules out kfake.
func Real() Option { return func(a *asked) { a.real = true } }

// By allows these ways only, in the usual order. So does KAFKATEST_WAYS, a list as containers,jars; a way has to be
// allowed by both.
func By(ways ...Way) Option { return func(a *asked) { a.ways = ways } }

// OrSkip skips the test where what it asks for cannot be had, in place of failing it. With MILLRACE_REQUIRE_KAFKA=1 it
// fails all the same; with MILLRACE_REQUIRE_CONTAINERS=1 so does a test that only containers can serve.
func OrSkip() Option { return func(a *asked) { a.orSkip = true } }

// collect checks options against each other.
func collect(opts []Option) (asked, error) {
	a := asked{brokers: 1}
	for _, o := range opts {
		o(&a)
	}
	switch {
	case a.brokers < 1 || a.brokers > 5:
		return a, fmt.Errorf("kafkatest: Brokers(%d): ask for 1 to 5", a.brokers)
	case a.certs && a.scram:
		return a, fmt.Errorf("kafkatest: ask for SCRAM or ClientCertificates, not both: a connection has one principal")
	case a.acls && !a.certs && !a.scram:
		return a, fmt.Errorf("kafkatest: ACLs need users: ask for SCRAM or ClientCertificates too")
	}
	if a.version != "" {
		if _, err := testkafka.FullVersion(a.version); err != nil {
			return a, fmt.Errorf("kafkatest: Version: %w", err)
		}
	}
	env, err := waysOf(os.Getenv("KAFKATEST_WAYS"))
	if err != nil {
		return a, err
	}
	if a.ways == nil {
		a.ways = allWays
	}
	a.ways = slices.DeleteFunc(slices.Clone(allWays), func(w Way) bool {
		return !slices.Contains(a.ways, w) || !slices.Contains(env, w)
	})
	return a, nil
}

// waysOf reads KAFKATEST_WAYS; empty is all.
func waysOf(list string) ([]Way, error) {
	if list == "" {
		return allWays, nil
	}
	var ways []Way
	for name := range strings.SplitSeq(list, ",") {
		i := slices.IndexFunc(allWays, func(w Way) bool { return w.String() == strings.TrimSpace(name) })
		if i < 0 {
			return nil, fmt.Errorf("kafkatest: KAFKATEST_WAYS names %q: ways are named, containers, jars, fake", name)
		}
		ways = append(ways, allWays[i])
	}
	return ways, nil
}

// against returns what of it a way can never serve; empty: it may.
func (a asked) against(w Way) string {
	switch {
	case w == Named && os.Getenv("KAFKA_BROKERS") == "":
		return "KAFKA_BROKERS is not set"
	case w == Named && a.special():
		return "the brokers of KAFKA_BROKERS are as they are, and the test asks for more"
	case w != Fake:
		return ""
	case a.real:
		return "the test asks for a real Kafka"
	case a.faults:
		return "kfake has no processes to kill, stop or pause"
	case a.version != "" || len(a.properties) > 0:
		return "kfake has no versions and properties of Kafka"
	case a.acls && a.certs:
		return "kfake takes no names from certificates"
	}
	return ""
}

// special reports whether any brokers will not do.
func (a asked) special() bool {
	return a.version != "" || a.brokers > 1 || a.tls || a.scram || a.acls || a.faults || len(a.properties) > 0
}

// protocol of the clients' listener.
func (a asked) protocol() string {
	switch {
	case a.scram && a.tls:
		return "SASL_SSL"
	case a.scram:
		return "SASL_PLAINTEXT"
	case a.tls:
		return "SSL"
	}
	return "PLAINTEXT"
}

func (a asked) String() string {
	s := fmt.Sprintf("%d broker", a.brokers)
	if a.brokers > 1 {
		s += "s"
	}
	if p := a.protocol(); p != "PLAINTEXT" {
		s += ", " + p
	}
	if a.certs {
		s += " with client certificates"
	}
	if a.acls {
		s += ", ACLs"
	}
	for _, k := range slices.Sorted(maps.Keys(a.properties)) {
		s += ", " + k + "=" + a.properties[k]
	}
	return s
}
