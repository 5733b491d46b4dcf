package recorded

import (
	"os"
	"strings"
	"testing"

	"go.uber.org/goleak"

	"github.com/millrace-streams/millrace/internal/conformance/cluster"
	"github.com/millrace-streams/millrace/internal/testkafka"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// What Kafka Streams did on a real broker Millrace does: with several partitions, stopped and started again on an empty disk, and
// when it goes on with what a stopped application of Kafka Streams has left.
func TestRecordingsOfKafkaStreamsAreRepeatedOnARealBroker(t *testing.T) {
	broker := testkafka.New(t, testkafka.Options{Properties: cluster.Properties()})
	cases, err := cluster.ReadDir(os.DirFS("../../internal/conformance/cluster/testdata/cases"))
	if err != nil {
		t.Fatal(err)
	}
	runs := cluster.Runner{Brokers: []string{broker.Addr()}}.All(t.Context(), cases, cluster.Ways(), 8)
	var report strings.Builder
	if !cluster.Report(&report, runs) {
		t.Error(report.String())
	} else {
		t.Log(report.String())
	}
}
