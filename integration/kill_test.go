package integration

import (
	"fmt"
	"math/rand/v2"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/millrace-streams/millrace/integration/internal/child"
	"github.com/millrace-streams/millrace/kafkatest"
)

// killProcesses kills one to three processes with -9, twenty times, under load, and starts them again on their directories. Every
// key's output must read 1, 2, 3 … to the end, and no restart may throw state away: it replays what the disk did not have
// yet.
func killProcesses(t *testing.T, c *kafkatest.Cluster) {
	app := c.Name("kill")
	c.CreateTopics(6, app+"-in", app+"-out")
	dir := t.TempDir()
	load := feed(t, client(t, c), app+"-in", 500, 3000)

	const most = 3
	var procs [most]*child.Child
	var ended []*child.Child
	run := func(i int) {
		procs[i] = start(t, "count", app, filepath.Join(dir, fmt.Sprint(i)), c.Brokers())
	}
	run(0)
	rnd := rand.New(rand.NewPCG(uint64(time.Now().UnixNano()), 7))
	for kills := 0; kills < 20; {
		time.Sleep(time.Duration(300+rnd.IntN(1500)) * time.Millisecond) // load, not synchronisation: kills must come at any moment
		i := rnd.IntN(most)
		if procs[i] == nil {
			run(i)
			continue
		}
		procs[i].Kill()
		kills++
		ended = append(ended, procs[i])
		procs[i] = nil
		if rnd.IntN(5) > 0 { // mostly at once; else it stays away until it is drawn again
			run(i)
		}
	}
	for i := range procs {
		if procs[i] == nil {
			run(i)
		}
	}
	sequences(t, c, app+"-out", load.end())
	for _, p := range procs {
		p.End(t)
		ended = append(ended, p)
	}
	restores := 0
	for _, p := range ended {
		for _, line := range p.Said("restored") {
			restores++
			if !strings.HasSuffix(line, `""`) {
				t.Errorf("a restart wiped state: %s", line)
			}
		}
		if e := p.Said("error"); len(e) > 0 {
			t.Errorf("a process failed: %v", e)
		}
	}
	if restores == 0 {
		t.Error("no process said how many records it replayed")
	}
}
