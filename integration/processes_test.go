package integration

import (
	"slices"
	"testing"

	"github.com/millrace-streams/millrace/integration/internal/child"
)

// What is done to processes: they come, go, and are replaced, in order and by kill -9.
var processSteps = []step{
	{"one process", onlyOne, anything},
	{"three processes and one again", growAndShrink, anything},
	{"a rolling restart of three", rollingRestart, anything},
	{"a static member that comes back moves nothing", staticMembers, anything},
}

// onlyOne starts the first process.
func onlyOne(t *testing.T, s *soak) { running(t, s.start(t, "a")) }

// growAndShrink starts two processes more, which take over a share of the tasks, and has them leave again.
func growAndShrink(t *testing.T, s *soak) {
	a := s.procs["a"]
	all := tasks(a)
	for _, name := range []string{"b", "c"} {
		s.start(t, name, leaving)
	}
	for _, name := range []string{"a", "b", "c"} {
		p := s.procs[name]
		p.Until(t, "with a share of the tasks", func() bool { n := len(tasks(p)); return 0 < n && n < len(all) })
	}
	s.owned(t, all)
	s.flows(t)
	s.end(t, "c")
	s.owned(t, all)
	s.end(t, "b")
	a.Until(t, "with all tasks", func() bool { return slices.Equal(tasks(a), all) })
}

// rollingRestart replaces three processes one after the other, each as soon as the one before has its tasks.
func rollingRestart(t *testing.T, s *soak) {
	all := tasks(s.procs["a"])
	s.start(t, "b")
	s.start(t, "c")
	for _, name := range []string{"b", "c"} {
		p := s.procs[name]
		p.Until(t, "with tasks", func() bool { return len(tasks(p)) > 0 })
	}
	s.owned(t, all)
	for _, name := range []string{"a", "b", "c"} {
		s.end(t, name)
		running(t, s.start(t, name))
		s.owned(t, all)
	}
}

// staticMembers stops one of three processes in order, and kills another. Each comes back within the session timeout: it
// has its tasks again, and the others do not hear of it.
func staticMembers(t *testing.T, s *soak) {
	for _, end := range []struct {
		name string
		how  func(*child.Child)
	}{
		{"b", func(p *child.Child) { p.End(t) }},
		{"c", (*child.Child).Kill},
	} {
		before := s.moves(end.name)
		had := tasks(s.procs[end.name])
		end.how(s.procs[end.name])
		back := s.start(t, end.name)
		back.Until(t, "with the tasks it had", func() bool { return slices.Equal(tasks(back), had) })
		s.flows(t)
		if after := s.moves(end.name); !slices.Equal(after, before) {
			t.Errorf("process %s came back, and others said:\n%v\nafter\n%v", end.name, after, before)
		}
	}
}

// moves returns what all processes but one have said of tasks that came and went.
func (s *soak) moves(but string) []string {
	var said []string
	for _, name := range []string{"a", "b", "c"} {
		if p := s.procs[name]; name != but && p != nil {
			said = append(append(append(said, name), p.Said("assigned")...), p.Said("revoked")...)
		}
	}
	return said
}

// owned waits until each task runs in just one process.
func (s *soak) owned(t *testing.T, all []string) {
	t.Helper()
	await(t, "each task in one process", func() bool {
		s.mustRun(t)
		var run []string
		for _, p := range s.procs {
			run = append(run, tasks(p)...)
		}
		slices.Sort(run)
		return slices.Equal(run, all)
	})
}
