package secured

import (
	"crypto/tls"
	"crypto/x509"
	"errors"
	"os"

	"github.com/twmb/franz-go/pkg/kgo"
	"github.com/twmb/franz-go/pkg/sasl/scram"

	"github.com/millrace-streams/millrace"
)

// What docs/secured.md shows; the tests connect so.

// trusted reads the certificate of who made those of the brokers.
func trusted() (*x509.CertPool, error) {
	ca, err := os.ReadFile("ca.pem")
	if err != nil {
		return nil, err
	}
	pool := x509.NewCertPool()
	if !pool.AppendCertsFromPEM(ca) {
		return nil, errors.New("no certificate in ca.pem")
	}
	return pool, nil
}

// withPassword has an app connect encrypted, as a user with a password.
func withPassword(conf *millrace.Config) error {
	pool, err := trusted()
	if err != nil {
		return err
	}
	user := scram.Auth{User: "word-count", Pass: os.Getenv("KAFKA_PASSWORD")}
	conf.Client = []kgo.Opt{
		kgo.DialTLSConfig(&tls.Config{RootCAs: pool, MinVersion: tls.VersionTLS12}),
		kgo.SASL(user.AsSha256Mechanism()),
	}
	return nil
}

// withCertificate has an app connect as who its certificate says.
func withCertificate(conf *millrace.Config) error {
	pool, err := trusted()
	if err != nil {
		return err
	}
	own, err := tls.LoadX509KeyPair("word-count.pem", "word-count.key")
	if err != nil {
		return err
	}
	conf.Client = []kgo.Opt{
		kgo.DialTLSConfig(&tls.Config{RootCAs: pool, Certificates: []tls.Certificate{own}, MinVersion: tls.VersionTLS12}),
	}
	return nil
}

// missing says what an app may not do, if that is why it ended.
func missing(err error) (what, rule string) {
	if denied, ok := errors.AsType[*millrace.DeniedError](err); ok {
		return denied.Operation + " on " + denied.Resource + " " + denied.Name, denied.Rule
	}
	return "", ""
}
