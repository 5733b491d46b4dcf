package kafkatest

import (
	"fmt"
	"maps"
	"strconv"

	"github.com/millrace-streams/millrace/internal/testkafka"
)

// Two listeners, always: CLIENT is advertised as the address of the link, and BROKER is how brokers know each other, and
// themselves: with transactions a broker connects to its own address. BROKER is also where the administrator gets in.
//
//	client ──► link ──► CLIENT ┐
//	administrator ────► BROKER ├ broker
//	other brokers ────► BROKER ┘

// settings returns the configuration of one broker, but for addresses, which are the way's to know.
func (p *plan) settings(i int) map[string]string {
	replicas := min(p.brokers, 3)
	in := max(1, replicas-1)
	s := testkafka.Properties()
	maps.Copy(s, map[string]string{
		"node.id":                        strconv.Itoa(p.node(i)),
		"listener.security.protocol.map": "CONTROLLER:PLAINTEXT,BROKER:PLAINTEXT,CLIENT:" + p.protocol(),
		"inter.broker.listener.name":     "BROKER",
		"default.replication.factor":     strconv.Itoa(replicas),
		"min.insync.replicas":            strconv.Itoa(in),

		"offsets.topic.replication.factor":                 strconv.Itoa(replicas),
		"transaction.state.log.replication.factor":         strconv.Itoa(replicas),
		"transaction.state.log.min.isr":                    strconv.Itoa(in),
		"share.coordinator.state.topic.replication.factor": strconv.Itoa(replicas),
		"share.coordinator.state.topic.min.isr":            strconv.Itoa(in),

		// A leader that is lost is replaced after 2 to 4 s, where the defaults take 9 to 12 s.
		"replica.lag.time.max.ms":               "3000",
		"controller.quorum.election.timeout.ms": "300",
		"controller.quorum.fetch.timeout.ms":    "1000",

		// A broker that hangs is given up by the others after 5 s, where the default takes 30 s: until then they check no
		// transaction with it, and end none in what it led.
		"request.timeout.ms": "5000",
	})
	if p.tls {
		maps.Copy(s, map[string]string{
			"ssl.keystore.type":       "PEM",
			"ssl.keystore.location":   keystoreFile,
			"ssl.truststore.type":     "PEM",
			"ssl.truststore.location": truststoreFile,
		})
	}
	if p.certs {
		s["listener.name.client.ssl.client.auth"] = "required"
	}
	if p.scram {
		s["sasl.enabled.mechanisms"] = "SCRAM-SHA-256"
		s["listener.name.client.scram-sha-256.sasl.jaas.config"] = "org.apache.kafka.common.security.scram.ScramLoginModule required;"
	}
	if p.acls {
		s["authorizer.class.name"] = "org.apache.kafka.metadata.authorizer.StandardAuthorizer"
		// Brokers and the administrator's back door are anonymous; the clients' listener lets nobody in who is.
		s["super.users"] = "User:ANONYMOUS;User:" + superName + ";User:CN=" + superName
	}
	maps.Copy(s, p.properties)
	return s
}

const (
	keystoreFile   = "broker.pem"
	truststoreFile = "ca.pem"
)

// files returns the broker's certificates.
func (p *plan) files(i int) (map[string][]byte, error) {
	if p.ca == nil {
		return nil, nil
	}
	cert, key, err := p.ca.issue(fmt.Sprintf("broker-%d", p.node(i)), true)
	if err != nil {
		return nil, err
	}
	store := append(append(append([]byte(nil), key...), cert...), p.ca.pem...)
	return map[string][]byte{keystoreFile: store, truststoreFile: p.ca.pem}, nil
}
