#!/usr/bin/env perl
# BM25 as a memory of membench, in a language of its own (docs/process.md):
#   membench run -m process -M command="perl examples/bm25.pl" -t single
use strict;
use warnings;
use JSON::PP;

my ($k1, $b) = (1.5, 0.75);
my @texts;
my $json = JSON::PP->new->utf8->canonical;
$| = 1;    # every answer goes out at once

sub words { return map { lc } $_[0] =~ /[[:alnum:]]+/g }

sub best {    # the text that shares most with the question; of equal ones the first
    my %in;    # word -> how many texts have it
    my @bags = map { my %bag; $bag{$_}++ for words($_); \%bag } @texts;
    my @length = map { scalar(my @words = words($_)) } @texts;
    my $total = 0;
    $total += $_ for @length;
    for my $bag (@bags) { $in{$_}++ for keys %$bag }
    my ($place, $most) = (0, -1);
    for my $i (0 .. $#texts) {
        my $score = 0;
        for my $word (grep { $in{$_} } words($_[0])) {
            my $count = $bags[$i]{$word} // 0;
            my $norm = $k1 * (1 - $b + $b * $length[$i] * @texts / $total);
            $score += log((@texts + 1) / $in{$word}) * (1 + $count * ($k1 + 1) / ($norm + $count));
        }
        ($place, $most) = ($i, $score) if $score > $most;
    }
    return @texts ? [$texts[$place]] : [];
}

sub file { open(my $file, $_[0], "$_[1]/texts.json") or die "texts.json: $!\n"; return $file }

my %can = (
    hello => sub { return { name => 'bm25-perl', version => '1', kind => 'text', forgets => JSON::PP::true } },
    write => sub { push @texts, @{ $_[0]{texts} }; return {} },
    recall => sub { return { texts => [map { best($_) } @{ $_[0]{questions} }] } },
    forget => sub { my %gone = map { $_ => 1 } @{ $_[0]{texts} }; @texts = grep { !$gone{$_} } @texts; return {} },
    clear => sub { @texts = (); return {} },
    save => sub { print { file('>', $_[0]{folder}) } $json->encode(\@texts) if @texts; return {} },
    load => sub { @texts = @{ $json->decode(join '', readline file('<', $_[0]{folder})) }; return {} },
    close => sub { return {} },
);

while (my $line = <STDIN>) {
    my $request = $json->decode($line);
    my $done = eval { $can{ $request->{do} }->($request) } // { error => "$@" };
    print $json->encode($done), "\n";
}
