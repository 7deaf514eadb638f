"""Following each inbox at the API: listing, fetching, deleting, and when to do which.

Theory of operation
===================

The API lists an inbox as pages of rows, and four things about it are not to be relied on. A row
says who wrote to whom, when and about what, and another may say just the same (Q12). Its id may be
a position, which shifts when others go (Q11). Nothing tells how pages are cut and ordered (Q9,
Q10). And each page is a moment of its own: between two of them rows come and go. What follows here
is what can be known all the same. A wrong guess may cost requests and time. It must not cost a
message, show one twice, or delete one in place of another. docs/glossary.md has the words.

Rows
----
A *row* is one entry of the listing, kept in the store from the first page that shows it. Who it is,
is ours to say (``RemoteId``); all else refers to that: its text, its message, its deletion. The API
knows it by three things. Its *fingerprint* is made of sender, recipient, date and subject; rows
that share one are *twins*. Its *rank* is its place among all rows of the account, higher for newer.
Its *id* is only where it was seen last, with the *turn* at which that was noted. A row is

- *new* if no known row has its fingerprint and the page shows it once: it is kept at once;
- *known* as long as nothing proves that it left. On a page it is the one row of its fingerprint,
  and of twins the one under its id, or in its order where as many are listed as are known;
- *moved* if it is listed under another id, which went the way that the ids beside it went. The new
  id is noted, and nothing else changes;
- *drifting* if those to either side of it moved and it was not seen: its id went as far as theirs
  or by something in between, and these bounds are kept until it is seen (``shifts.drifted``);
- *in doubt* if a page allows another reading: twins are not as many as are known and not each
  under an id that is, or their ids went otherwise than those beside them, or so did the id of a row
  that has no twin. Then nothing is concluded, neither that one is new nor that one is gone, until
  ``twins`` has read their texts;
- *missing* if it is not listed between two rows that are, or at the end; most often it has moved;
- *gone* once that is proven (``absence``). Its message leaves INBOX. Row, text and copies that a
  person made stay, and if a row with its fingerprint and its text appears again, it is *back*.

Looks, sweeps, layouts
----------------------
A *look* reads the page with the newest rows. If all of it is known, and as many rows as the API
counts, that was all: the usual price is one request. Otherwise a *sweep* goes on, page after page
towards the oldest row, until the total is explained; a *whole* one, once a day, to the end whatever
the total says. Where a look's page ends with a new row, the look itself reads on for some pages.
The *layout* (where counting begins, which end is first, how long a page is) is found out from
pages 0 and 1, and anew when a whole sweep is due and after one that listed another number of rows
than the total. A total may be off for good: by how much is believed once two sweeps that got to the
end found the same.

RowTexts
-----
A row is kept and judged before its text is fetched (``receipts.listed``). RowTexts are fetched by
worth and then the newest first, several at once, and filed with their message in one commit. Those
of twins are read between two readings of their pages: if these agree, what was read belongs
together.

Deletions
---------
A deletion is wished for in the commit of the last expunge (or of a clearing), and is proven anew:

1. The row's text is here. The row is looked up, and so are its twins, on pages read just now.
2. What is behind its id is read: it agrees with the row, and its text is what was filed, to the
   last byte.
3. It has no twin, or none with its text, or all of these are wanted gone as well.
4. That the API is about to be asked is committed, with how many such texts are listed and which row
   is the newest that is known. Then it is asked.
5. The pages are read again, and one such text less is listed. Only with that, and the API's yes,
   is it done.

Any doubt ends the wish, and the message stays at the API; an alarm says so (of a clearing, its
log). That the API is out of reach ends nothing: the wish waits, over restarts too.

Who knows whom
--------------
What several have to know of an account is in one place, which alone changes it
(``memory.AccountMemory``): where the account stands, which twins are in doubt, which texts are
under way. Rows and wishes are in the store (``rows``, ``texts``, ``deletions``, ``clearings``), and
what enters and leaves INBOX goes through ``filer``. Nobody knows who knows him, nor is given a
function of somebody's, nor writes what is another's: ``parts`` puts all together, and
tests/sync/test_edges.py holds it. From below:

    memory, alarm                      what is known, and what a person is told
    rows, texts, deletions, clearings  the store (volume: how much of it came in a day)
    pages, locating                    the API's pages, and where a row is on them
    filer                              INBOX
    absence, listing                   looks and sweeps
    fetching, twins, wanted            texts
    proof, deletion, clearing          deletions
    account, service                   whose turn it is

The guards
----------
Each is there because of a case that a test tells; docs/glossary.md names them.

- *A text counts if its row agrees with the listed one* (``agreement``): an id may name another
  message by the time it is asked for.
- *Ids are compared with those beside them* (``shifts``): where one goes and another just like it
  comes, only that its id went otherwise can tell.
- *An id tells about a neighbour's if it was noted no later, and a drift by its bounds*: what moved
  between two notings would look like a row that was replaced.
- *What is missing is looked for twice, in the total, and under its id* (``absence``): pages are
  moments, and a row that moves up a page between two readings, as others go, is on neither.
- *How many twins there are is told by a sweep to the end under which nothing moved, and which one
  went by their texts*: no page tells either.
- *Twins of which fewer are found than were seen stay in doubt*: once one of them has left, the one
  that is known could be taken for the one that is not.
- *Twins are not judged while a text of theirs is under way*: it would be given to two.
- *A great loss is doubted for a day* (``loss``): an API in trouble lists nothing, or half.
- *What is back is what it was, and is not deleted any more*: it may be another just like it.
- *A row that another replaced is gone, but its deletion is not called done*: it may be listed yet.
- *The first deletion goes alone*: an API that deletes what it was not told to is found out by one.
  *Twins go alone*: each deletion may move the ids of the others.
- *Pages by which is deleted are seconds old* (``deletion.LISTED_FOR_S``): another just like it may
  come meanwhile.
- *What was asked for without an answer is seen to first, before and after a restart*: once another
  just like it has come, nothing tells whether it had effect. What is listed as older than rows that
  were known then did not come since.
- *Nothing is filed while rows are withdrawn*: a message would stand in INBOX whose row is gone.
- *Which texts are being read is written down before*: one that ends the bridge is read last and
  alone then, and after ``fetching.KILLS`` times not at all.
- *What cannot be read is tried for hours*, for two days where nothing else can be read either, and
  shown without a text then: nothing waits for it, and nobody takes it for what never came.
"""
