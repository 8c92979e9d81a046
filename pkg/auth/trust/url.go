package trust

import (
	"errors"
	"net/url"
	"path"
	"regexp"
	"strconv"
	"strings"
)

// plainURL is a URL that everybody who reads it reads the same: without escapes, and without letters of other scripts,
// which look like others and which some resolvers map to others. Such names of hosts are written in their ASCII form (xn--).
var plainURL = regexp.MustCompile(`^[A-Za-z]+://([A-Za-z0-9._-]+|\[[0-9A-Fa-f:.]+\])(:[0-9]+)?(/[A-Za-z0-9._~-]*)*$`)

// NormalizeURL returns the URL of a Crossbar without slashes at its end, so that a path can be added. It refuses what may
// lead elsewhere than it seems to, and what a path cannot be added to. Errors do not repeat the text: there may be a
// password in it.
func NormalizeURL(raw string) (string, error) {
	u, err := url.Parse(raw)
	switch {
	case err != nil:
		return "", errors.New("not a URL")
	case u.Scheme != "http" && u.Scheme != "https":
		return "", errors.New("the URL has to begin with https:// or http://")
	case u.User != nil:
		return "", errors.New("the URL must not hold a user or a password")
	case strings.ContainsAny(raw, "?#"):
		return "", errors.New("the URL must not hold a query or a fragment")
	case u.Hostname() == "":
		return "", errors.New("the URL names no host")
	case !plainURL.MatchString(raw):
		return "", errors.New("the URL may hold letters and digits of ASCII and -._~ in its host and its path")
	}
	if port := u.Port(); port != "" {
		if n, err := strconv.ParseUint(port, 10, 16); err != nil || n == 0 {
			return "", errors.New("the port in the URL must be a number from 1 to 65535")
		}
	}
	below := strings.TrimRight(u.Path, "/")
	if below != "" && path.Clean(below) != below {
		return "", errors.New("the path of the URL must not hold empty segments, nor \".\" or \"..\" as a segment")
	}
	return u.Scheme + "://" + u.Host + below, nil
}
