package assign

import (
	"fmt"
	"math/rand/v2"
	"reflect"
	"slices"
	"strings"
	"testing"
)

const seeds = 200

// eachWorld runs f on random worlds in which every member runs the same subtopologies and nobody owns anything yet.
func eachWorld(t *testing.T, members, subs int, f func(t *testing.T, r *rand.Rand, w *world)) {
	for seed := range uint64(seeds) {
		r := rand.New(rand.NewPCG(seed, 7))
		w := &world{partitions: map[string]int32{}}
		all := randomSubs(r, 1+r.IntN(subs), w.partitions)
		for i := range 1 + r.IntN(members) {
			w.members = append(w.members, member(i, all))
		}
		t.Run(fmt.Sprint("seed ", seed), func(t *testing.T) { f(t, r, w) })
		if t.Failed() {
			return
		}
	}
}

// mixed is a world in which members run different versions, with random ownership that may be nonsense.
func mixed(r *rand.Rand) *world {
	w := &world{partitions: map[string]int32{}, owned: map[string][]TopicPartition{}}
	old := randomSubs(r, 1+r.IntN(4), w.partitions)
	changed := slices.Clone(old)
	for i := range changed {
		if r.IntN(2) == 0 {
			extra := fmt.Sprint("new-", i)
			if r.IntN(4) > 0 {
				w.partitions[extra] = 1 + r.Int32N(12)
			}
			changed[i].Fingerprint += "'"
			changed[i].Topics = append(slices.Clone(changed[i].Topics), extra)
		}
	}
	if r.IntN(3) == 0 { // two subtopologies have become one
		s := changed[0]
		for _, c := range changed[1:] {
			s.Topics = append(slices.Clone(s.Topics), c.Topics...)
			s.Fingerprint += "+" + c.Fingerprint
		}
		changed = []Sub{s}
	}
	for i := range 1 + r.IntN(6) {
		m := member(i, [][]Sub{old, changed, nil}[r.IntN(9)/4])
		w.members = append(w.members, m)
		for _, topic := range sortedKeys(w.partitions) {
			for p := range w.partitions[topic] + 1 { // one that does not exist
				if r.IntN(3) == 0 {
					w.owned[m.ID] = append(w.owned[m.ID], TopicPartition{topic, p})
				}
			}
		}
		for _, s := range m.Subs {
			for _, c := range s.Changelogs {
				w.members[i].Disk = append(w.members[i].Disk, Stored{c, r.Int32N(12), r.Int64()})
			}
		}
	}
	return w
}

// checkPlan checks what must hold of every plan.
func checkPlan(t *testing.T, w *world, plan Plan, problems []error) {
	t.Helper()
	readers := map[TopicPartition]string{}
	for id, topics := range plan {
		i := slices.IndexFunc(w.members, func(m Member) bool { return m.ID == id })
		if i < 0 {
			t.Fatalf("%s is no member", id)
		}
		for topic, ps := range topics {
			s := slices.IndexFunc(w.members[i].Subs, func(s Sub) bool { return slices.Contains(s.Topics, topic) })
			if s < 0 {
				t.Fatalf("%s does not read %s", id, topic)
			}
			if !slices.IsSorted(ps) {
				t.Errorf("%s/%v is not in order", topic, ps)
			}
			for _, p := range ps {
				tp := TopicPartition{topic, p}
				if other, twice := readers[tp]; twice {
					t.Errorf("%s is read by %s and by %s", tp, other, id)
				}
				readers[tp] = id
				if p < 0 || p >= w.partitions[topic] {
					t.Errorf("%s does not exist", tp)
				}
				for _, sibling := range w.members[i].Subs[s].Topics {
					if p < w.partitions[sibling] && !slices.Contains(topics[sibling], p) {
						t.Errorf("%s has %s but not %s/%d", id, tp, sibling, p)
					}
				}
			}
		}
	}
	if len(plan) != len(w.members) {
		t.Errorf("%d of %d members are in the plan", len(plan), len(w.members))
	}
	waits := map[string]bool{}
	for _, p := range problems {
		switch p := p.(type) {
		case *YieldError:
			for _, topic := range p.Topics {
				waits[topic] = true
			}
		case *UnknownTopicError:
			for _, m := range w.members {
				for _, s := range m.Subs {
					if s.Fingerprint == p.Fingerprint {
						for _, topic := range s.Topics {
							waits[topic] = true
						}
					}
				}
			}
		}
	}
	runs := map[string]bool{}
	for _, m := range w.members {
		for _, s := range m.Subs {
			for _, topic := range s.Topics {
				runs[topic] = true
			}
		}
	}
	for topic, n := range w.partitions {
		for p := range n {
			tp := TopicPartition{topic, p}
			if readers[tp] == "" && runs[topic] && !waits[topic] {
				t.Errorf("%s is read by nobody, and nobody says why: %v", tp, problems)
			}
		}
	}
}

func TestEveryPartitionIsReadByExactlyOneMemberThatRunsItsSubtopology(t *testing.T) {
	for seed := range uint64(4 * seeds) {
		w := mixed(rand.New(rand.NewPCG(seed, 1)))
		plan, problems := w.assign()
		checkPlan(t, w, plan, problems)
		if t.Failed() {
			t.Fatalf("seed %d\n%+v\n%v", seed, w, plan)
		}
	}
}

// A subtopology yields only to one that runs.
func TestNothingWaitsThatCouldRunBesideTheRest(t *testing.T) {
	unknown := 0
	for seed := range uint64(4 * seeds) {
		w := mixed(rand.New(rand.NewPCG(seed, 2)))
		plan, _ := w.assign()
		read := map[string]bool{}
		for _, topics := range plan {
			for topic := range topics {
				read[topic] = true
			}
		}
		for _, m := range w.members {
			for _, s := range m.Subs {
				waits := !slices.ContainsFunc(s.Topics, func(topic string) bool { return read[topic] })
				known := !slices.ContainsFunc(s.Topics, func(topic string) bool { return w.partitions[topic] == 0 })
				if waits && known {
					t.Fatalf("seed %d: %v waits although none of its topics is read", seed, s)
				}
				if !known {
					unknown++
				}
			}
		}
	}
	if unknown == 0 {
		t.Error("no world had an unknown topic")
	}
}

func TestOrderOfInputDoesNotMatter(t *testing.T) {
	for seed := range uint64(seeds) {
		r := rand.New(rand.NewPCG(seed, 3))
		w := mixed(r)
		for id := range w.owned { // two that claim one partition are told apart by the order of claims
			w.owned[id] = slices.DeleteFunc(w.owned[id], func(tp TopicPartition) bool { return fmt.Sprint("id-", int(tp.Partition)%len(w.members)) != id })
		}
		want, wantProblems := w.assign()
		r.Shuffle(len(w.members), func(i, j int) { w.members[i], w.members[j] = w.members[j], w.members[i] })
		for i := range w.members {
			m := &w.members[i]
			m.Subs, m.Disk = slices.Clone(m.Subs), slices.Clone(m.Disk)
			slices.Reverse(m.Subs)
			for j := range m.Subs {
				m.Subs[j].Topics = slices.Clone(m.Subs[j].Topics)
				slices.Reverse(m.Subs[j].Topics)
			}
			slices.Reverse(m.Disk)
			slices.Reverse(w.owned[m.ID])
		}
		before := fmt.Sprintf("%v", w)
		got, gotProblems := w.assign()
		if !reflect.DeepEqual(got, want) || fmt.Sprint(gotProblems) != fmt.Sprint(wantProblems) {
			t.Fatalf("seed %d:\n%v\n%v\nthen\n%v\n%v", seed, want, wantProblems, got, gotProblems)
		}
		if fmt.Sprintf("%v", w) != before {
			t.Fatalf("seed %d: Assign changed its input", seed)
		}
	}
}

// The ids of members are new after each restart, those of processes are not.
func TestPlanGoesByTheIdsOfProcesses(t *testing.T) {
	eachWorld(t, 5, 4, func(t *testing.T, r *rand.Rand, w *world) {
		before, _ := w.assign()
		ids := map[string]string{}
		for i := range w.members {
			m := &w.members[i]
			ids[m.ID], m.ID = fmt.Sprint("new-", len(w.members)-i), fmt.Sprint("new-", len(w.members)-i)
		}
		after, _ := w.assign()
		for old, id := range ids {
			if !reflect.DeepEqual(before[old], after[id]) {
				t.Errorf("%s had %v, as %s %v", old, before[old], id, after[id])
			}
		}
	})
}

func TestMembersThatRunEverythingDifferByOneTaskAtMost(t *testing.T) {
	eachWorld(t, 7, 6, func(t *testing.T, r *rand.Rand, w *world) {
		for range 3 {
			plan, problems := w.assign()
			checkPlan(t, w, plan, problems)
			if all, _ := w.loads(plan); spreadOf(all) > 1 {
				t.Errorf("tasks %v", all)
			}
			// From now on one member owns all that the others own less.
			w.adopt(plan)
			greedy := w.members[r.IntN(len(w.members))].ID
			for _, m := range w.members {
				w.owned[greedy] = append(w.owned[greedy], w.owned[m.ID]...)
			}
		}
	})
}

func TestFreshSubtopologiesLieEvenly(t *testing.T) {
	eachWorld(t, 7, 6, func(t *testing.T, r *rand.Rand, w *world) {
		plan, _ := w.assign()
		_, by := w.loads(plan)
		for fingerprint, counts := range by {
			if spreadOf(counts) > 1 {
				t.Errorf("%s: %v", fingerprint, counts)
			}
		}
	})
}

func TestSecondRunChangesNothing(t *testing.T) {
	for seed := range uint64(4 * seeds) {
		w := mixed(rand.New(rand.NewPCG(seed, 4)))
		first, _ := w.assign()
		w.adopt(first)
		if second, _ := w.assign(); !reflect.DeepEqual(first, second) {
			t.Fatalf("seed %d: %v", seed, moved(first, second))
		}
	}
}

func TestLeavingMovesOnlyTheTasksOfTheOneThatLeft(t *testing.T) {
	eachWorld(t, 7, 6, func(t *testing.T, r *rand.Rand, w *world) {
		if len(w.members) == 1 {
			return
		}
		before, _ := w.assign()
		w.adopt(before)
		w.save(100)
		i := r.IntN(len(w.members))
		delete(w.owned, w.members[i].ID)
		w.members = slices.Delete(w.members, i, i+1)
		after, problems := w.assign()
		checkPlan(t, w, after, problems)
		if m := moved(before, after); len(m) > 0 {
			t.Errorf("moved without need: %v", m)
		}
	})
}

func TestJoiningMovesTasksOnlyToTheNewMemberAndNoMoreThanItsShare(t *testing.T) {
	eachWorld(t, 7, 6, func(t *testing.T, r *rand.Rand, w *world) {
		before, _ := w.assign()
		w.adopt(before)
		w.save(100)
		w.members = append(w.members, member(len(w.members), w.members[0].Subs))
		joiner := w.members[len(w.members)-1].ID
		after, problems := w.assign()
		checkPlan(t, w, after, problems)
		for _, m := range moved(before, after) {
			if !strings.HasSuffix(m, "→"+joiner) {
				t.Errorf("moved without need: %s", m)
			}
		}
		all, _ := w.loads(after)
		total := 0
		for _, n := range all {
			total += n
		}
		if share := (total + len(w.members) - 1) / len(w.members); all[joiner] > share {
			t.Errorf("%d of %d tasks went to the new one of %d members", all[joiner], total, len(w.members))
		}
	})
}

// Members join and leave one after the other, each time with the cooperative rounds it takes: a round gives away nothing
// that somebody still has, two rounds are enough, and hardly ever does a round change its mind about where a task goes.
func TestHandOverTakesTwoRoundsAndNeverGivesWhatAnotherOwns(t *testing.T) {
	turns, changes, others := 0, 0, 0
	eachWorld(t, 4, 5, func(t *testing.T, r *rand.Rand, w *world) {
		next := len(w.members)
		var former Plan
		for turn := range 8 {
			turns++
			left := r.IntN(2) == 0 && len(w.members) > 1
			if left {
				i := r.IntN(len(w.members))
				delete(w.owned, w.members[i].ID)
				w.members = slices.Delete(slices.Clone(w.members), i, i+1)
			} else {
				w.members = append(w.members, member(next, w.members[0].Subs))
				next++
			}
			target, _ := w.assign()
			if left && len(moved(former, target)) > 0 {
				others++
			}
			for round := 1; ; round++ {
				plan, problems := w.assign()
				checkPlan(t, w, plan, problems)
				if !reflect.DeepEqual(plan, target) {
					changes++
					target = plan
				}
				whole := fmt.Sprint(plan)
				now := HandOver(w.members, plan, w.owned)
				if fmt.Sprint(plan) != whole {
					t.Fatal("HandOver changed the plan")
				}
				for _, m := range w.members {
					for topic, ps := range now[m.ID] {
						for _, p := range ps {
							for _, o := range w.members {
								if o.ID != m.ID && slices.Contains(w.owned[o.ID], TopicPartition{topic, p}) {
									t.Errorf("%s/%d goes to %s while %s owns it", topic, p, m.ID, o.ID)
								}
							}
						}
					}
				}
				w.adopt(now)
				w.save(int64(10*turn + 10))
				if totalOf(now) == totalOf(plan) {
					break
				}
				if round == 3 {
					t.Fatalf("turn %d: not handed over after %d rounds", turn, round)
				}
			}
			former = target
		}
	})
	if changes*200 > turns || others*200 > turns {
		t.Errorf("of %d turns %d changed their mind, %d moved tasks of members that stayed although one had left", turns, changes, others)
	}
}

func totalOf(p Plan) (n int) {
	for _, topics := range p {
		for _, ps := range topics {
			n += len(ps)
		}
	}
	return n
}

// All processes stop and come back with other member ids: each gets the state it has.
func TestStateIsFoundAgainWhenAllProcessesRestart(t *testing.T) {
	eachWorld(t, 6, 5, func(t *testing.T, r *rand.Rand, w *world) {
		for i := range w.members {
			for j := range w.members[i].Subs {
				s := &w.members[i].Subs[j]
				s.Stateful, s.Changelogs = true, []string{"changelog of " + s.Fingerprint}
			}
		}
		before, _ := w.assign()
		w.adopt(before)
		w.save(1000)
		w.owned = nil
		for i := range w.members {
			w.members[i].ID += " again"
		}
		after, _ := w.assign()
		for id, topics := range before {
			if again := after[id+" again"]; !reflect.DeepEqual(topics, again) {
				t.Errorf("%s had %v, then %v", id, topics, again)
			}
		}
	})
}

func TestRollingDeployKeepsTheOldTopicReadAndEndsWithTheNewOne(t *testing.T) {
	v1 := []Sub{{Fingerprint: "v1", Topics: []string{"a"}, Stateful: true, Changelogs: []string{"counts"}}, {Fingerprint: "same", Topics: []string{"c"}}}
	v2 := []Sub{{Fingerprint: "v2", Topics: []string{"a", "b"}, Stateful: true, Changelogs: []string{"counts", "totals"}}, {Fingerprint: "same", Topics: []string{"c"}}}
	for n := 2; n <= 5; n++ {
		for _, kept := range []bool{true, false} { // does the group keep the place of the one that restarts?
			t.Run(fmt.Sprint(n, " members, kept ", kept), func(t *testing.T) {
				w := &world{partitions: map[string]int32{"a": 8, "b": 4, "c": 6}}
				settle := func() Plan {
					for range 4 {
						plan, problems := w.assign()
						checkPlan(t, w, plan, problems)
						if a, c := countOf(plan, "a"), countOf(plan, "c"); a != 8 || c != 6 {
							t.Fatalf("%d of 8 and %d of 6 partitions are read: %v", a, c, plan)
						}
						w.adopt(HandOver(w.members, plan, w.owned))
						w.save(100)
					}
					plan, _ := w.assign()
					if !reflect.DeepEqual(HandOver(w.members, plan, w.owned), plan) {
						t.Fatal("not settled")
					}
					return plan
				}
				for i := range n {
					w.members = append(w.members, member(i, v1))
				}
				settle()
				for i := range n {
					old := w.members[i]
					delete(w.owned, old.ID)
					if !kept {
						w.members = slices.Delete(slices.Clone(w.members), i, i+1)
						settle()
						w.members = slices.Insert(slices.Clone(w.members), i, old)
					}
					w.members[i].Subs, w.members[i].ID = v2, old.ID+" v2"
					plan := settle()
					switch upgraded := i + 1; {
					case 2*upgraded > n && countOf(plan, "b") != 4:
						t.Errorf("%d of %d run v2, and b is not read: %v", upgraded, n, plan)
					case 2*upgraded < n && countOf(plan, "b") != 0:
						t.Errorf("%d of %d run v2, and b is read: %v", upgraded, n, plan)
					}
				}
				plan := settle()
				all, by := w.loads(plan)
				if spreadOf(all) > 1 || spreadOf(by["v2"]) > 3 {
					t.Errorf("in the end %v, %v", all, by)
				}
			})
		}
	}
}

func countOf(p Plan, topic string) (n int) {
	for _, topics := range p {
		n += len(topics[topic])
	}
	return n
}
