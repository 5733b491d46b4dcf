package kafkatest

import (
	"crypto/tls"
	"errors"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kgo"
)

func adminOf(k *kgo.Client) *kadm.Client { return kadm.NewClient(k) }

func TestClientCertificatesLetInTheirOwnersOnly(t *testing.T) {
	each(t, own, func(t *testing.T, way Option) {
		c := Start(t, way, ClientCertificates())
		c.CreateTopics(1, "t")
		mustCommit(t, c, "t", "by the administrator")
		alice := c.User("alice")
		if alice.Principal() != "User:CN=alice" {
			t.Errorf("principal %s", alice.Principal())
		}
		if err := ping(t, c, alice); err != nil {
			t.Errorf("alice is not let in: %v", err)
		}
		nobody := *alice
		nobody.Certificate, nobody.Key = nil, nil
		if err := ping(t, c, &nobody); err == nil {
			t.Error("somebody without a certificate is let in")
		}
		stranger, err := newAuthority()
		if err != nil {
			t.Fatal(err)
		}
		forged := *alice
		if forged.Certificate, forged.Key, err = stranger.issue("alice", false); err != nil {
			t.Fatal(err)
		}
		if err := ping(t, c, &forged); err == nil {
			t.Error("somebody with a certificate of another authority is let in")
		}
		wantRecords(t, c, "t", "by the administrator")
	})
}

func TestTLSIsSpokenAndTheBrokersAreWhoTheySay(t *testing.T) {
	each(t, own, func(t *testing.T, way Option) {
		c := Start(t, way, TLS(), Brokers(1))
		c.CreateTopics(1, "t")
		mustCommit(t, c, "t", "secret")
		wantRecords(t, c, "t", "secret")
		if err := ping(t, c, &User{}); err == nil {
			t.Error("a client without TLS is let in")
		}
		stranger, err := newAuthority()
		if err != nil {
			t.Fatal(err)
		}
		wary := &User{CA: stranger.pem}
		if err := ping(t, c, wary); err == nil {
			t.Error("a client believes a broker whose certificate its authority did not make")
		}
		conn, err := tls.Dial("tcp", c.Brokers()[0], c.User("any").TLS())
		if err != nil {
			t.Fatalf("TLS handshake: %v", err)
		}
		conn.Close()
	})
}

func TestSCRAMWantsTheRightPassword(t *testing.T) {
	each(t, own, func(t *testing.T, way Option) {
		c := Start(t, way, SCRAM())
		c.CreateTopics(1, "t")
		mustCommit(t, c, "t", "by the administrator")
		alice := c.User("alice")
		if err := ping(t, c, alice); err != nil {
			t.Errorf("alice is not let in: %v", err)
		}
		wrong := *alice
		wrong.Password += "?"
		if err := ping(t, c, &wrong); c.Way() == Fake && err != nil {
			return // kfake hangs up without a word
		} else if !errors.Is(err, kerr.SaslAuthenticationFailed) {
			t.Errorf("wrong password: %v; want SASL_AUTHENTICATION_FAILED", err)
		}
	})
}

// ACLs over SCRAM and TLS, and where principals come from certificates; three brokers hear of each change.
func TestACLsDenyWhatIsNotAllowed(t *testing.T) {
	each(t, own, func(t *testing.T, way Option) {
		denyAndAllow(t, Start(t, way, TLS(), SCRAM(), ACLs(), Brokers(3)))
	})
	each(t, real, func(t *testing.T, way Option) {
		denyAndAllow(t, Start(t, way, ClientCertificates(), ACLs()))
	})
}

func denyAndAllow(t *testing.T, c *Cluster) {
	t.Helper()
	c.CreateTopics(3, "t")
	alice := c.User("alice")
	write := func() error {
		k := dialled(t, append(alice.Client(), kgo.SeedBrokers(c.Brokers()...), kgo.DefaultProduceTopic("t"), kgo.DisableIdempotentWrite(),
			kgo.RequiredAcks(kgo.AllISRAcks()), kgo.UnknownTopicRetries(0))...)
		return k.ProduceSync(t.Context(), kgo.StringRecord("x")).FirstErr()
	}
	if err := write(); !errors.Is(err, kerr.TopicAuthorizationFailed) {
		t.Errorf("without an ACL: %v; want TOPIC_AUTHORIZATION_FAILED", err)
	}
	acl := func() *kadm.ACLBuilder {
		return kadm.NewACLs().Topics("t").ResourcePatternType(kadm.ACLPatternLiteral).Operations(kadm.OpWrite, kadm.OpDescribe).
			Allow(alice.Principal()).AllowHosts("*")
	}
	c.Allow(acl())
	if err := write(); err != nil {
		t.Errorf("with an ACL: %v", err)
	}
	c.Revoke(acl())
	if err := write(); !errors.Is(err, kerr.TopicAuthorizationFailed) {
		t.Errorf("after Revoke: %v; want TOPIC_AUTHORIZATION_FAILED", err)
	}
}

// ping connects as a user to every broker.
func ping(t *testing.T, c *Cluster, u *User) error {
	t.Helper()
	var errs []error
	for _, addr := range c.Brokers() {
		k := dialled(t, append(u.Client(), kgo.SeedBrokers(addr), kgo.RetryTimeout(5*time.Second))...)
		errs = append(errs, answers(t, k, 30*time.Second))
	}
	return errors.Join(errs...)
}
