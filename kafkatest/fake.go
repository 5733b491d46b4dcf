package kafkatest

import (
	"context"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"fmt"
	"net"

	"github.com/twmb/franz-go/pkg/kfake"
)

// startFake starts kfake behind the links.
func startFake(p *plan) (*started, error) {
	var real []string // addresses, in the order of the links
	opts := []kfake.Opt{
		kfake.NumBrokers(p.brokers),
		kfake.BrokerConfigs(map[string]string{
			// It compacts past open transactions, which Kafka never does: not within any test.
			"log.cleaner.backoff.ms": "604800000",
		}),
		kfake.ListenFn(func(network, address string) (net.Listener, error) {
			ln, err := net.Listen(network, address)
			if err != nil {
				return nil, err
			}
			l := p.links[len(real)]
			real = append(real, ln.Addr().String())
			l.Target(ln.Addr().String())
			return advertised{ln, l.Addr()}, nil
		}),
	}
	s := &started{version: "fake"}
	for i := range p.brokers {
		s.nodes = append(s.nodes, int32(i)) // kfake counts from 0
	}
	if p.ca != nil {
		cert, key, err := p.ca.issue("kfake", true)
		if err != nil {
			return nil, err
		}
		pair, err := tls.X509KeyPair(cert, key)
		if err != nil {
			return nil, fmt.Errorf("kafkatest: kfake's certificate: %w", err)
		}
		conf := &tls.Config{Certificates: []tls.Certificate{pair}, MinVersion: tls.VersionTLS12}
		s.super = &User{Name: superName, CA: p.ca.pem}
		if p.certs {
			conf.ClientAuth, conf.ClientCAs = tls.RequireAndVerifyClientCert, x509.NewCertPool()
			conf.ClientCAs.AddCert(p.ca.cert)
			if s.super.Certificate, s.super.Key, err = p.ca.issue(superName, false); err != nil {
				return nil, err
			}
		}
		opts = append(opts, kfake.TLS(conf))
	}
	if p.scram {
		if s.super == nil {
			s.super = &User{Name: superName}
		}
		s.super.Password = rand.Text()
		opts = append(opts, kfake.EnableSASL(), kfake.Superuser("SCRAM-SHA-256", superName, s.super.Password))
	}
	if p.acls {
		opts = append(opts, kfake.EnableACLs())
	}
	fake, err := kfake.NewCluster(opts...)
	if err != nil {
		return nil, fmt.Errorf("kafkatest: kfake: %w", err)
	}
	s.close = func(bool) error { fake.Close(); return nil }
	s.admin = func(_ context.Context, addr string) (string, error) {
		for i, l := range p.links {
			if l.Addr() == addr {
				return real[i], nil
			}
		}
		return addr, nil
	}
	return s, nil
}

// advertised is a listener that says it is at another address.
type advertised struct {
	net.Listener
	addr string
}

func (a advertised) Addr() net.Addr { return address(a.addr) }

type address string

func (address) Network() string  { return "tcp" }
func (a address) String() string { return string(a) }
