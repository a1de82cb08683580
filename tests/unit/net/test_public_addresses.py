import pytest

from net.addresses import is_public, read_literal

BLOCKED = [
    "0.0.0.1", "0.1.2.3", "10.0.0.1", "10.255.255.255", "100.64.0.1", "100.127.255.255", "127.0.0.1", "127.1.2.3",
    "169.254.0.1", "169.254.169.254", "172.16.0.1", "172.31.255.255", "192.0.0.1", "192.0.0.170", "192.0.2.1",
    "192.31.196.1", "192.52.193.1", "192.88.99.1", "192.168.0.1", "192.175.48.1", "198.18.0.1", "198.19.255.255",
    "198.51.100.1", "203.0.113.1", "224.0.0.1", "239.255.255.255", "240.0.0.1", "255.255.255.255",
    "::", "::1", "::7f00:1", "::8.8.8.8", "::ffff:127.0.0.1", "::ffff:10.0.0.1", "::ffff:a9fe:a9fe",
    "64:ff9b::7f00:1", "64:ff9b::8.8.8.8", "64:ff9b:1::1", "100::1", "2001::1", "2001:0:4136:e378::1", "2001:2::1",
    "2001:10::1", "2001:1ff::1", "2001:db8::1", "2002:7f00:1::", "2002:808:808::1", "2620:4f:8000::1", "3fff::1",
    "4000::1", "fc00::1", "fd00:ec2::254", "fe80::1", "fe80::1%2", "febf::1", "fec0::1", "ff02::1", "ff0e::1",
]  # fmt: skip
PUBLIC = [
    "1.1.1.1", "8.8.8.8", "9.255.255.255", "11.0.0.1", "100.63.255.255", "100.128.0.1", "126.255.255.255",
    "169.253.255.255", "172.15.255.255", "172.32.0.1", "191.255.255.255", "192.1.0.1", "198.17.255.255",
    "198.20.0.1", "223.255.255.255", "::ffff:8.8.8.8", "2001:200::1", "2001:4860:4860::8888", "2606:4700::1111",
    "2a00:1450::1", "2003::1", "3ffe::1",
]  # fmt: skip


@pytest.mark.parametrize("address", BLOCKED)
def test_special_address_is_not_public(address: str) -> None:
    assert not is_public(address)


@pytest.mark.parametrize("address", PUBLIC)
def test_ordinary_address_is_public(address: str) -> None:
    assert is_public(address)


@pytest.mark.parametrize("text", ["", "example.com", "1.2.3", "::g", "127.0.0.1:80"])
def test_text_that_is_no_address_is_not_public(text: str) -> None:
    assert not is_public(text)


@pytest.mark.parametrize(
    "host",
    ["127.1", "2130706433", "0x7f000001", "0x7f.1", "017700000001", "0", "010.0.0.1", "1.2.3.4.5", "a.1", "0x",
     "fe80::1%eth0"],
)  # fmt: skip
def test_number_in_another_spelling_than_the_plain_one_is_refused(host: str) -> None:
    with pytest.raises(ValueError, match=r".+"):
        read_literal(host)


@pytest.mark.parametrize("host", ["example.com", "1.example", "0x1.example.com", "127-0-0-1.example", "deadbeef"])
def test_name_is_no_literal(host: str) -> None:
    assert read_literal(host) is None
