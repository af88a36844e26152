"""`python -m minigan live`: a page that shows games being played, and by which they are played.

command.py    the command: a server for this machine alone, and the browser
server.py     who may connect, and what goes to whom
view.py       a part of the page: a thread that obeys and shows
plane.py      a game in the plane, a move at a time;  plane_view.py  what the page sees of it
images.py     a run of a system on pictures, which the page can hold
explore.py    sliders and classes: what a generator makes of the latents that somebody chooses
walk.py       a saved run
wire.py       arrays in messages
page/         what the browser runs: plain JavaScript modules
"""
