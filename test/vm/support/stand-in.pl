#!/usr/bin/perl
# Stands in for the programs that a boundary node may have. Ends at once when its arguments have "refused" in them. With
# `--address HOST:PORT` it answers HTTP: /args with its arguments, /slow with half an answer, and with the other half once
# /run/stand-in-goes-on is there.
use strict;
use warnings;
use IO::Socket::INET;

my $args = "@ARGV";
die "cannot work with $args\n" if $args =~ /refused/;
my ($address) = $args =~ /--address (\S+)/;
until ($address) { sleep 3600 }

my $server = IO::Socket::INET->new(LocalAddr => $address, Listen => 16, ReuseAddr => 1) or die "cannot listen at $address: $!\n";
$SIG{CHLD} = "IGNORE";
while (1) {
  my $client = $server->accept or next;
  if (fork) { close $client; next }
  my $request = <$client> // exit;
  while (my $line = <$client>) { last if $line =~ /^\s*$/ }
  $client->autoflush;
  my ($first, $second) = $request =~ m{ /slow } ? ("one half, ", "and the other") : ($args, "");
  # nginx would wait for more to hand on at once.
  print $client "HTTP/1.1 200 OK\r\nConnection: close\r\nX-Accel-Buffering: no\r\nContent-Length: ", length "$first$second", "\r\n\r\n$first";
  if ($second) { select undef, undef, undef, 0.2 until -e "/run/stand-in-goes-on" }
  print $client $second;
  exit;
}
