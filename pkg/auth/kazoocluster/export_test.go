package kazoocluster

// Normalize is normalize.
var Normalize = NormalizeURL
