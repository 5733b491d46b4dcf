package assign

import (
	"strings"
	"testing"
)

func TestAssignmentMadeForAnotherProgramDoesNotFit(t *testing.T) {
	old := Member{Subs: []Sub{{Fingerprint: "v1", Topics: []string{"a"}}, {Fingerprint: "same", Topics: []string{"c"}}}}
	now := Member{Subs: []Sub{{Fingerprint: "same", Topics: []string{"c"}}, {Fingerprint: "v2", Topics: []string{"a", "b"}}}}
	assigned := map[string][]int32{"a": {0, 1}, "c": {2}}
	if err := old.Fits(old.Echo(), assigned); err != nil {
		t.Errorf("its own assignment does not fit: %v", err)
	}
	// Both versions read a: only the fingerprint tells that the state behind it is another one.
	if err := now.Fits(old.Echo(), assigned); err == nil || !strings.Contains(err.Error(), `made for subtopologies ["same" "v1"], this process runs ["same" "v2"]: rejoin`) {
		t.Errorf("error %v", err)
	}
	if err := now.Fits(Echo{}, nil); err == nil {
		t.Error("an assignment to a member that ran nothing fits")
	}
	if err := now.Fits(now.Echo(), map[string][]int32{"c": {0}, "d": {1}}); err == nil || !strings.Contains(err.Error(), `topic "d"`) {
		t.Errorf("error %v", err)
	}
	if err := now.Fits(now.Echo(), map[string][]int32{"c": {0}, "d": nil}); err != nil {
		t.Errorf("error %v", err)
	}
}
