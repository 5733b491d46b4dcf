package integration

import (
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/millrace-streams/millrace/integration/internal/child"
	"github.com/millrace-streams/millrace/kafkatest"
)

// partitions of every topic of the soak.
const partitions = 2

// A soak is an application under load, and what is done to it.
//
//	load ──► inputs ──► processes (children) ──► outputs ──► reader
//	  └──► fed ──► plain maps ──► what must be there ── equal? ──┘
type soak struct {
	c     *kafkatest.Cluster
	app   string
	dir   string
	root  *testing.T // of the cluster: what outlives a step belongs to it
	load  *load
	read  *reader
	procs map[string]*child.Child // those that run, by name

	loosely bool // a broker was out of reach, or there are several: see scenario.loosely
}

// A step is one thing that is done to the application, or to its cluster, while the load runs.
type step struct {
	name  string
	do    func(t *testing.T, s *soak)
	needs need
}

// newSoak makes the topics and starts the load; no process runs yet.
func newSoak(t *testing.T, c *kafkatest.Cluster) *soak {
	t.Helper()
	s := &soak{c: c, app: c.Name("soak"), dir: t.TempDir(), root: t, procs: map[string]*child.Child{}}
	var inputs []string
	for _, sc := range scenarios {
		for _, name := range sc.inputs {
			inputs = append(inputs, sc.topic(s.app, name))
		}
	}
	c.CreateTopics(partitions, append(inputs, s.outputs()...)...)
	s.load, s.read = newLoad(t, c, s.app), newReader(t, c, s.outputs())
	return s
}

func (s *soak) outputs() []string {
	var topics []string
	for _, sc := range scenarios {
		topics = append(topics, sc.topic(s.app, "out"))
	}
	return topics
}

// run does steps one after the other. Each begins under load; when it is done the load rests until every result is there.
func (s *soak) run(t *testing.T, steps ...step) {
	t.Helper()
	for _, step := range steps {
		ok := t.Run(step.name, func(t *testing.T) {
			step.needs.met(t, s.c)
			s.loosely = s.loosely || step.needs != anything || len(s.c.Brokers()) > 1
			s.load.run()
			s.read.mark()
			step.do(t, s)
			s.flows(t)
			any, single := s.read.gaps(words.topic(s.app, "out"))
			s.settle(t)
			t.Logf("longest time without a committed result %.1f s, of one partition of the word counts %.1f s; %d moments fed so far", any.Seconds(), single.Seconds(), s.load.ticked())
		})
		if !ok {
			return // what comes after would fail for the same reason
		}
	}
	t.Run("stop and read to the end", s.finish)
}

// start starts a process on the directory of its name.
func (s *soak) start(t *testing.T, name string, env ...string) *child.Child {
	t.Helper()
	p := start(s.root, "soak", s.app, filepath.Join(s.dir, name), s.c.Brokers(), env...)
	s.procs[name] = p
	return p
}

// end ends a process in order.
func (s *soak) end(t *testing.T, name string) {
	t.Helper()
	s.procs[name].End(t)
	delete(s.procs, name)
}

// flows waits for a second's load, and for new results of every scenario.
func (s *soak) flows(t *testing.T) {
	t.Helper()
	fed, before := s.load.ticked(), s.read.counts()
	await(t, "more load", func() bool { return s.load.ticked() > fed+int64(time.Second/tickEvery) })
	for _, topic := range s.outputs() {
		await(t, "new results in "+topic, func() bool { s.mustRun(t); return s.read.counts()[topic] > before[topic] })
	}
}

// mustRun fails the test if a process has ended by itself.
func (s *soak) mustRun(t *testing.T) {
	t.Helper()
	for name, p := range s.procs {
		select {
		case <-p.Ended():
			t.Fatalf("process %s ended: %v", name, p.Said("error"))
		default:
		}
	}
}

// settle stops the load, and waits until the results are what they must be: nothing is lost, nothing is there twice.
func (s *soak) settle(t *testing.T) {
	t.Helper()
	s.load.rest()
	for _, sc := range scenarios {
		want := sc.results(s.load.fed[sc.name])
		topic, n := sc.topic(s.app, "out"), 0
		for _, values := range want {
			n += len(values)
		}
		if !within(t, patience, func() bool {
			s.mustRun(t)
			return s.read.counts()[topic] >= n && len(s.compare(sc, want)) == 0
		}) {
			t.Fatalf("%s: the results of %d records are not right after %v:\n%s", sc.name, len(s.load.fed[sc.name]), patience,
				strings.Join(s.compare(sc, want), "\n"))
		}
	}
}

// compare compares what the reader has of a scenario with what must be there.
func (s *soak) compare(sc scenario, want results) (differ []string) {
	s.read.results(sc.topic(s.app, "out"), func(got results) { differ = sc.compare(got, want, s.loosely) })
	return differ
}

// finish ends all processes, reads the outputs to their very ends, and compares once more: a repeat may come late.
func (s *soak) finish(t *testing.T) {
	for name := range s.procs {
		s.end(t, name)
	}
	ends, err := s.c.In(t).Admin().ListEndOffsets(t.Context(), s.outputs()...)
	if err == nil {
		err = ends.Error()
	}
	if err != nil {
		t.Fatal(err)
	}
	for topic, offsets := range ends {
		for id, end := range offsets {
			await(t, "the end of "+topic, func() bool { return s.read.has(part{topic, id}, end.Offset) })
		}
	}
	for _, sc := range scenarios {
		if list := s.compare(sc, sc.results(s.load.fed[sc.name])); len(list) > 0 {
			t.Errorf("%s: at the end:\n%s", sc.name, strings.Join(list, "\n"))
		}
	}
}
