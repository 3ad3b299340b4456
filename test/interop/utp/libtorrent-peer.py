"""A BitTorrent peer that speaks uTP alone, from libtorrent, for the tests beside it.

    libtorrent-peer.py seed FOLDER NAME            shares FOLDER/NAME; prints its port and the torrent
    libtorrent-peer.py leech FOLDER NAME TORRENT PORT   fetches NAME into FOLDER from the peer at PORT

Prints one line of JSON for each thing that happens, and ends when its input does.
"""

import base64
import json
import os
import sys
import threading

import libtorrent

SETTINGS = {
    "listen_interfaces": "127.0.0.1:0",
    "enable_incoming_tcp": False,
    "enable_outgoing_tcp": False,
    "enable_dht": False,
    "enable_lsd": False,
    "enable_upnp": False,
    "enable_natpmp": False,
    "allow_multiple_connections_per_ip": True,
    "out_enc_policy": int(libtorrent.enc_policy.disabled),
    "in_enc_policy": int(libtorrent.enc_policy.disabled),
    "alert_mask": libtorrent.alert.category_t.status_notification
    | libtorrent.alert.category_t.error_notification
    | libtorrent.alert.category_t.connect_notification,
}


def tell(**what):
    print(json.dumps(what), flush=True)


def torrent_of(folder, name):
    files = libtorrent.file_storage()
    libtorrent.add_files(files, f"{folder}/{name}")
    torrent = libtorrent.create_torrent(files, 65536, libtorrent.create_torrent.v1_only)
    libtorrent.set_piece_hashes(torrent, folder)
    return libtorrent.bencode(torrent.generate())


def main(role, folder, name, encoded=None, port=None):
    session = libtorrent.session(SETTINGS)
    data = base64.b64decode(encoded) if encoded else torrent_of(folder, name)
    info = libtorrent.torrent_info(libtorrent.bdecode(data))
    parameters = libtorrent.add_torrent_params()
    parameters.ti = info
    parameters.save_path = folder
    if role == "seed":
        parameters.flags |= libtorrent.torrent_flags.seed_mode
    handle = session.add_torrent(parameters)
    tell(
        event="ready",
        port=session.listen_port(),
        torrent=base64.b64encode(data).decode(),
        hash=str(info.info_hash()),
        pieces=info.num_pieces(),
        pieceLength=info.piece_length(),
    )
    if port:
        handle.connect_peer(("127.0.0.1", int(port)))
    threading.Thread(target=report, args=(session,), daemon=True).start()
    sys.stdin.read()
    # To take a session apart takes seconds, and nobody waits for its trackers.
    os._exit(0)


def report(session):
    while True:
        session.wait_for_alert(1000)
        for alert in session.pop_alerts():
            tell(event=alert.what(), message=alert.message())


main(*sys.argv[1:])
