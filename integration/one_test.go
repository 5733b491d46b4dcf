package integration

import (
	"slices"
	"testing"

	"github.com/millrace-streams/millrace/kafkatest"
)

// What needs nothing special of its broker shares one.
func TestResultsAreExactOnOneBroker(t *testing.T) {
	c := kafkatest.Start(t)
	for _, test := range []struct {
		name string
		run  func(*testing.T, *kafkatest.Cluster)
	}{
		{"killed processes count every record once", killProcesses},
		{"a rolling deploy reads the new topic and loses nothing", rollingDeploy},
		{"the example killed in the middle counts every word once", exampleCounts},
		{"a soak", soakOneBroker},
	} {
		t.Run(test.name, func(t *testing.T) { test.run(t, c.In(t)) })
	}
}

func soakOneBroker(t *testing.T, c *kafkatest.Cluster) {
	newSoak(t, c).run(t, slices.Concat(processSteps, networkSteps, oneBrokerSteps)...)
}
