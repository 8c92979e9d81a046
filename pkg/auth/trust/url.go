package trust

import (
	"errors"
	"net"
	"net/url"
	"regexp"
	"strconv"
	"strings"

	"junctor/pkg/ipaddr"
)

// maxURL bounds the length of an API's URL.
const maxURL = 1024

// hostName is a DNS name. Names in other scripts are written in their ASCII form (xn--), and one that ends in a
// number is refused: resolvers disagree on which address "127.1" is.
var hostName = regexp.MustCompile(`^([a-z0-9_]([a-z0-9_-]{0,61}[a-z0-9_])?\.)*[a-z]([a-z0-9_-]{0,61}[a-z0-9_])?$`)

// plainPath is what the path of an API needs. Without escapes and empty, "." and ".." segments, everybody who
// reads it reads the same.
var plainPath = regexp.MustCompile(`^(/[A-Za-z0-9_~-][A-Za-z0-9._~-]*)*$`)

// NormalizeURL returns the one spelling of the URL of a Crossbar, to which a path can be added. It refuses whatever could
// lead elsewhere than it seems to. Errors do not repeat the text: there may be a password in it.
func NormalizeURL(raw string) (string, error) {
	if len(raw) > maxURL {
		return "", errors.New("the URL is too long")
	}
	u, err := url.Parse(raw)
	if err != nil || strings.ContainsFunc(raw, notPlain) {
		return "", errors.New("not a URL")
	}
	switch {
	case u.Scheme != "http" && u.Scheme != "https":
		return "", errors.New("the URL has to begin with https:// or http://")
	case u.User != nil:
		return "", errors.New("the URL must not hold a user or a password")
	case strings.ContainsAny(raw, "?#"):
		return "", errors.New("the URL must not hold a query or a fragment")
	}
	host, err := normalizeHost(u)
	if err != nil {
		return "", err
	}
	path := strings.TrimRight(u.EscapedPath(), "/")
	if !plainPath.MatchString(path) {
		return "", errors.New("the path of the URL may hold letters, digits and -._~ between single slashes")
	}
	return u.Scheme + "://" + host + path, nil
}

// notPlain reports whether readers of a URL may disagree on a character: escapes, white space, all that is not ASCII.
func notPlain(r rune) bool { return r <= ' ' || r > '~' || r == '%' || r == '\\' }

// normalizeHost returns the host, and the port unless it is the scheme's own.
func normalizeHost(u *url.URL) (string, error) {
	host := strings.ToLower(u.Hostname())
	address, isAddress := ipaddr.Parse(host)
	switch {
	case isAddress:
		host = address.String()
	case !hostName.MatchString(host) || len(host) > 253:
		return "", errors.New("the URL names no host")
	}
	port, err := normalizePort(u)
	if err != nil {
		return "", err
	}
	if port != "" {
		return net.JoinHostPort(host, port), nil
	}
	if strings.Contains(host, ":") {
		return "[" + host + "]", nil
	}
	return host, nil
}

func normalizePort(u *url.URL) (string, error) {
	if u.Port() == "" {
		return "", nil
	}
	port, err := strconv.ParseUint(u.Port(), 10, 16)
	if err != nil || port == 0 {
		return "", errors.New("the port in the URL must be a number from 1 to 65535")
	}
	if u.Scheme == "http" && port == 80 || u.Scheme == "https" && port == 443 {
		return "", nil
	}
	return strconv.FormatUint(port, 10), nil
}
