package secured

import (
	"testing"

	"github.com/millrace-streams/millrace/kafkatest"
)

// An app gets TLS and SASL through Config.Client alone, and its leaders may move.
func TestCountOverTLSAndSCRAMOnThreeBrokers(t *testing.T) {
	c := kafkatest.Start(t, kafkatest.TLS(), kafkatest.SCRAM(), kafkatest.Brokers(3), kafkatest.OrSkip())
	const app, words, each = "scram", 5, 20
	c.CreateTopics(3, app+".in", app+".out")
	conf := appConfig(t, c, app)
	for round := 1; round <= 2; round++ { // the second goes on where the first ended
		_, stop := run(t, conf)
		write(c, app, words, each)
		counted(t, c, app, words, round*each)
		if err := stop(); err != nil {
			t.Fatalf("run %d: %v", round, err)
		}
	}
}
