package assign

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/cockroachdb/datadriven"
)

// TestScenarios runs the transcripts in testdata/scenarios. Verbs:
//
//	topics       NAME=PARTITIONS …
//	join ID      process=P; a line for each subtopology: FINGERPRINT TOPIC… [stateful [CHANGELOG…]]
//	leave ID     also what a crash looks like once the session has timed out
//	disk ID      CHANGELOG/PARTITION=OFFSET …
//	owns ID      TOPIC/PARTITION …
//	plan         what Assign says
//	round        the same, then HandOver; everybody owns the result
func TestScenarios(t *testing.T) {
	datadriven.Walk(t, "testdata/scenarios", func(t *testing.T, path string) {
		w := &world{partitions: map[string]int32{}, owned: map[string][]TopicPartition{}}
		datadriven.RunTest(t, path, func(t *testing.T, d *datadriven.TestData) string { return w.run(t, d) })
	})
}

func (w *world) run(t *testing.T, d *datadriven.TestData) string {
	number := func(text string) int64 {
		n, err := strconv.ParseInt(text, 10, 64)
		if err != nil {
			d.Fatalf(t, "%v", err)
		}
		return n
	}
	who := func() int {
		i := slices.IndexFunc(w.members, func(m Member) bool { return len(d.CmdArgs) > 0 && m.ID == d.CmdArgs[0].Key })
		if i < 0 {
			d.Fatalf(t, "no such member")
		}
		return i
	}
	switch d.Cmd {
	case "topics":
		for _, f := range strings.Fields(d.Input) {
			name, n, _ := strings.Cut(f, "=")
			w.partitions[name] = int32(number(n))
		}
		return ""
	case "join":
		m := Member{ID: d.CmdArgs[0].Key, Process: "process of " + d.CmdArgs[0].Key}
		d.MaybeScanArgs(t, "process", &m.Process)
		for line := range strings.Lines(d.Input) {
			f := strings.Fields(line)
			s := Sub{Fingerprint: f[0], Topics: f[1:]}
			if i := slices.Index(f, "stateful"); i >= 0 {
				s.Topics, s.Stateful, s.Changelogs = f[1:i], true, f[i+1:]
			}
			m.Subs = append(m.Subs, s)
		}
		w.members = append(w.members, m)
		return ""
	case "leave":
		i := who()
		delete(w.owned, w.members[i].ID)
		w.members = slices.Delete(w.members, i, i+1)
		return ""
	case "disk":
		m := &w.members[who()]
		m.Disk = nil
		for _, f := range strings.Fields(d.Input) {
			name, offset, _ := strings.Cut(f, "=")
			name, p, _ := strings.Cut(name, "/")
			m.Disk = append(m.Disk, Stored{name, int32(number(p)), number(offset)})
		}
		return ""
	case "owns":
		id := w.members[who()].ID
		w.owned[id] = nil
		for _, f := range strings.Fields(d.Input) {
			name, p, _ := strings.Cut(f, "/")
			w.owned[id] = append(w.owned[id], TopicPartition{name, int32(number(p))})
		}
		return ""
	case "plan", "round":
		plan, problems := w.assign()
		checkPlan(t, w, plan, problems)
		if d.Cmd == "round" {
			plan = HandOver(w.members, plan, w.owned)
			w.adopt(plan)
		}
		var b strings.Builder
		for _, m := range w.members {
			fmt.Fprintf(&b, "%s:", m.ID)
			for _, topic := range sortedKeys(plan[m.ID]) {
				fmt.Fprintf(&b, " %s%v", topic, plan[m.ID][topic])
			}
			b.WriteString("\n")
		}
		for _, p := range problems {
			fmt.Fprintln(&b, p)
		}
		return b.String()
	}
	d.Fatalf(t, "unknown verb %s", d.Cmd)
	return ""
}
