package integration

import (
	"slices"
	"testing"
)

// What is done to processes: they come, go, and are replaced, in order and by kill -9.
var processSteps = []step{
	{"one process", onlyOne, anything},
	{"three processes and one again", growAndShrink, anything},
	{"a rolling restart of three", rollingRestart, anything},
	{"a static member that comes back moves nothing", staticMembers, anything},
}

// onlyOne starts the first process.
func onlyOne(t *testing.T, s *soak) { s.start(t, "a").running(t) }

// growAndShrink starts two processes more, which take over a share of the tasks, and has them leave again.
func growAndShrink(t *testing.T, s *soak) {
	a := s.procs["a"]
	all := a.tasks()
	for _, name := range []string{"b", "c"} {
		s.start(t, name, leaving)
	}
	for _, name := range []string{"a", "b", "c"} {
		p := s.procs[name]
		p.until(t, "with a share of the tasks", func() bool { n := len(p.tasks()); return 0 < n && n < len(all) })
	}
	s.owned(t, all)
	s.flows(t)
	s.end(t, "c")
	s.owned(t, all)
	s.end(t, "b")
	a.until(t, "with all tasks", func() bool { return slices.Equal(a.tasks(), all) })
}

// rollingRestart replaces three processes one after the other, each as soon as the one before has its tasks.
func rollingRestart(t *testing.T, s *soak) {
	all := s.procs["a"].tasks()
	s.start(t, "b")
	s.start(t, "c")
	for _, name := range []string{"b", "c"} {
		p := s.procs[name]
		p.until(t, "with tasks", func() bool { return len(p.tasks()) > 0 })
	}
	s.owned(t, all)
	for _, name := range []string{"a", "b", "c"} {
		s.end(t, name)
		s.start(t, name).running(t)
		s.owned(t, all)
	}
}

// staticMembers stops one of three processes in order, and kills another. Each comes back within the session timeout: it
// has its tasks again, and the others do not hear of it.
func staticMembers(t *testing.T, s *soak) {
	for _, end := range []struct {
		name string
		how  func(*child)
	}{
		{"b", func(p *child) { p.end(t) }},
		{"c", (*child).kill},
	} {
		before := s.moves(end.name)
		had := s.procs[end.name].tasks()
		end.how(s.procs[end.name])
		back := s.start(t, end.name)
		back.until(t, "with the tasks it had", func() bool { return slices.Equal(back.tasks(), had) })
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
			said = append(append(append(said, name), p.said("assigned")...), p.said("revoked")...)
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
			run = append(run, p.tasks()...)
		}
		slices.Sort(run)
		return slices.Equal(run, all)
	})
}
