package integration

import (
	"slices"
	"testing"

	"github.com/millrace-streams/millrace/kafkatest"
)

// Three brokers with three replicas of everything lose one of them at a time, and no result.
func TestResultsAreExactOnThreeBrokers(t *testing.T) {
	c := kafkatest.Start(t, kafkatest.Brokers(3))
	newSoak(t, c).run(t, slices.Concat(processSteps, networkSteps, threeBrokersSteps, kills())...)
}
