package kafkatest

import (
	"context"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"fmt"
	"net"
	"time"

	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kgo"
	"github.com/twmb/franz-go/pkg/sasl/scram"
)

// superName is the administrator, who may do everything.
const superName = "admin"

// A User is somebody a secured cluster knows, with all that it takes to connect as them. It can be sent to another
// process as JSON.
type User struct {
	Name        string
	Password    string // of SASL/SCRAM-SHA-256; empty: no SASL
	CA          []byte // PEM, of who made the brokers' certificates; empty: no TLS
	Certificate []byte // PEM; empty: none
	Key         []byte // PEM, of Certificate
}

// User makes somebody who may do nothing yet where the cluster was started with ACLs; see Allow. A name must not be
// made twice. On a cluster with neither SCRAM nor ClientCertificates all users are nobody.
func (c *Cluster) User(name string) *User {
	c.t.Helper()
	ctx, cancel := context.WithTimeout(c.t.Context(), faultTimeout)
	defer cancel()
	u, err := c.meet(ctx, name)
	if err != nil {
		c.t.Fatal(err)
	}
	return u
}

// meetUsers makes the administrator, if the cluster wants to know who somebody is.
func (c *Cluster) meetUsers(ctx context.Context) error {
	if c.super != nil || c.procs == nil || c.asked.protocol() == "PLAINTEXT" {
		return nil
	}
	super, err := c.meet(ctx, superName)
	c.super = super
	return err
}

// meet makes a user and waits until every broker knows them.
func (c *Cluster) meet(ctx context.Context, name string) (*User, error) {
	u := &User{Name: name}
	if c.ca != nil {
		u.CA = c.ca.pem
	}
	if c.asked.certs {
		var err error
		u.Certificate, u.Key, err = c.ca.issue(name, false)
		return u, err
	}
	if !c.asked.scram {
		return u, nil
	}
	u.Password = rand.Text()
	done, err := c.Admin().AlterUserSCRAMs(ctx, nil, []kadm.UpsertSCRAM{{
		User: name, Mechanism: kadm.ScramSha256, Iterations: 4096, Password: u.Password,
	}})
	if err == nil {
		err = done.Error()
	}
	if err != nil {
		return nil, fmt.Errorf("kafkatest: cannot make the user %s: %w", name, err)
	}
	for i, addr := range c.brokers {
		if err := c.known(ctx, u, addr, i); err != nil {
			return nil, err
		}
	}
	return u, nil
}

// known waits until a broker lets a user in: brokers hear of new users a moment after the controller.
func (c *Cluster) known(ctx context.Context, u *User, addr string, i int) error {
	for {
		client, err := kgo.NewClient(append(u.Client(), kgo.SeedBrokers(addr), kgo.RetryTimeout(time.Second))...)
		if err != nil {
			return fmt.Errorf("kafkatest: the user %s: %w", u.Name, err)
		}
		err = client.Ping(ctx)
		client.Close()
		if err == nil {
			return nil
		}
		if ctx.Err() != nil {
			return fmt.Errorf("kafkatest: broker %d does not let the new user %s in: %w", c.nodes[i], u.Name, err)
		}
		pause(ctx, 20*time.Millisecond)
	}
}

// pause waits between two questions to something that answers only when asked.
func pause(ctx context.Context, d time.Duration) {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
	case <-ctx.Done():
	}
}

// Principal is how ACLs call the user.
func (u *User) Principal() string {
	if len(u.Certificate) > 0 {
		return "User:CN=" + u.Name
	}
	return "User:" + u.Name
}

// Client returns what a client of the user needs beside the addresses: what millrace.Config.Client and kgo.NewClient
// take.
func (u *User) Client() []kgo.Opt {
	var d net.Dialer
	return u.through(d.DialContext)
}

// through is Client over connections made by dial.
func (u *User) through(dial func(ctx context.Context, network, addr string) (net.Conn, error)) []kgo.Opt {
	var opts []kgo.Opt
	if len(u.CA) > 0 {
		inner, conf := dial, u.TLS()
		dial = func(ctx context.Context, network, addr string) (net.Conn, error) {
			raw, err := inner(ctx, network, addr)
			if err != nil {
				return nil, err
			}
			conn := tls.Client(raw, conf)
			if err := conn.HandshakeContext(ctx); err != nil {
				raw.Close()
				return nil, err
			}
			return conn, nil
		}
	}
	opts = append(opts, kgo.Dialer(dial))
	if u.Password != "" {
		opts = append(opts, kgo.SASL(scram.Auth{User: u.Name, Pass: u.Password}.AsSha256Mechanism()))
	}
	return opts
}

// TLS returns the user's settings of an encrypted connection; nil: connections are not encrypted.
func (u *User) TLS() *tls.Config {
	if len(u.CA) == 0 {
		return nil
	}
	pool := x509.NewCertPool()
	pool.AppendCertsFromPEM(u.CA)
	conf := &tls.Config{RootCAs: pool, ServerName: "localhost", MinVersion: tls.VersionTLS12}
	if len(u.Certificate) > 0 {
		if pair, err := tls.X509KeyPair(u.Certificate, u.Key); err == nil { // without it the broker says what is wrong
			conf.Certificates = []tls.Certificate{pair}
		}
	}
	return conf
}
