package main

import (
	"context"
	"os/exec"
	"runtime/debug"
	"strings"
)

// revision is the commit that is measured: the one this program was built from if the build was stamped, else the one
// checked out here.
func revision(ctx context.Context) string {
	if info, ok := debug.ReadBuildInfo(); ok {
		if s := stamp(info.Settings); s != "" {
			return s
		}
	}
	out, err := exec.CommandContext(ctx, "git", "describe", "--always", "--abbrev=12", "--exclude=*", "--dirty= with changes").Output()
	if err != nil {
		return "unknown"
	}
	return strings.TrimSpace(string(out))
}

// stamp is what a build says about its commit, "" if nothing.
func stamp(settings []debug.BuildSetting) string {
	commit, modified := "", ""
	for _, s := range settings {
		switch {
		case s.Key == "vcs.revision":
			commit = s.Value[:min(12, len(s.Value))]
		case s.Key == "vcs.modified" && s.Value == "true":
			modified = " with changes"
		}
	}
	if commit == "" {
		return ""
	}
	return commit + modified
}
