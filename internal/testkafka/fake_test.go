package testkafka

import (
	"testing"

	"github.com/twmb/franz-go/pkg/kfake"
)

func TestFakeKeepsItsDataFolder(t *testing.T) {
	dir, topic := t.TempDir(), "t"
	first := Fake(t, kfake.NumBrokers(1), kfake.DataDir(dir), kfake.SeedTopics(1, topic))
	commit(t, first.ListenAddrs(), topic, "kept")
	first.Close()

	second := Fake(t, kfake.NumBrokers(1), kfake.DataDir(dir))
	if got := committed(t, second.ListenAddrs(), topic, 1); got[0] != "kept" {
		t.Errorf("read %q from the folder of an earlier cluster; want what was committed", got)
	}
}

func TestFakeHasSeveralBrokers(t *testing.T) {
	if got := len(Fake(t, kfake.NumBrokers(2)).ListenAddrs()); got != 2 {
		t.Errorf("%d brokers; want 2", got)
	}
}
