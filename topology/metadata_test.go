package topology_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/millrace-streams/millrace/kstream"
	"github.com/millrace-streams/millrace/serde"
	"github.com/millrace-streams/millrace/topology"
	"github.com/millrace-streams/millrace/window"
)

// TestEventTimesMustFitBesideAnOffset: a windowed count keeps two times, of 12 bytes each, under its name of here 40 bytes
// and a suffix of 1 and of 2. With 26 bytes that are always there, 24 counts make 3,460 bytes of base64 and 25 make 3,604.
func TestEventTimesMustFitBesideAnOffset(t *testing.T) {
	for n, fits := range map[int]bool{24: true, 25: false} {
		b := topology.NewBuilder()
		g := kstream.From(b, topology.NewTopic("in", serde.String, serde.String)).GroupByKey()
		for i := range n {
			g.WindowedBy(window.Tumbling(time.Minute)).Count(fmt.Sprintf("%s-%02d", strings.Repeat("x", 37), i))
		}
		_, err := b.Build()
		if fits != (err == nil) {
			t.Errorf("%d counts: %v", n, err)
		}
		if !fits && (!strings.Contains(err.Error(), "50 event times, which take up to 3604 bytes") || !strings.HasPrefix(err.Error(), "metadata_test.go:")) {
			t.Error(err)
		}
	}
}
