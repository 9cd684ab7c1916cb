"""The simulated webservice: takes a request through the checks, answers it, and says what it changed."""

import hashlib
from collections import OrderedDict
from dataclasses import replace
from secrets import token_hex

from connectors.prestashop.simulator import json_writer, root, xml_writer
from connectors.prestashop.simulator.access import (
    READS,
    Place,
    check_host,
    check_key,
    check_method,
    check_resource,
    check_shop,
    folder_of,
    read_place,
)
from connectors.prestashop.simulator.hostile import FAULTS
from connectors.prestashop.simulator.images import answer_image, public_image
from connectors.prestashop.simulator.life import ShopLife
from connectors.prestashop.simulator.parameters import Parameters, read_languages, read_parameters
from connectors.prestashop.simulator.reading import Question, read_list, read_one
from connectors.prestashop.simulator.refusals import (
    Fatal,
    Missing,
    Redirected,
    Refused,
    Unauthenticated,
    warned,
)
from connectors.prestashop.simulator.selection import Selections
from connectors.prestashop.simulator.shop import Shop
from connectors.prestashop.simulator.writing import Writer
from domain import clock
from engine.simulation.exchange import Request, Response
from engine.simulation.fault import Fault

HTML_TYPE = ("Content-Type", "text/html; charset=utf-8")
POWERED = ("X-Powered-By", "PrestaShop Webservice")
REALM = "Welcome to PrestaShop Webservice, please enter the authentication key as the login. No password required."
LONGEST_UNCHUNKED = 8000
KEPT_PAGES = 512
KEPT_BYTES = 256 * 1024 * 1024


class PrestashopSimulator:
    """One installation behind a web server. ``domain`` is its main domain; by default where the server listens."""

    def __init__(self, shop: Shop, *, domain: str = "", seed: int = 0) -> None:
        """``seed`` decides what happens by itself."""
        self.shop = shop
        self.domain = domain
        self.life = ShopLife(shop, seed=seed)
        self._selections = Selections(shop)
        self._writer = Writer(shop)
        self._pages: OrderedDict[object, tuple[object, Response]] = OrderedDict()
        self._kept_bytes = 0

    @property
    def name(self) -> str:
        """The system's name."""
        return "prestashop"

    @property
    def faults(self) -> tuple[Fault, ...]:
        """PrestaShop's own ways to misbehave."""
        return FAULTS

    def started(self, url: str) -> None:
        """Be at home where the server listens, unless told otherwise."""
        self.domain = self.domain or url.partition("//")[2]

    def describe(self) -> dict[str, object]:
        """How to connect, and how much there is."""
        keys = [key.text for key in self.shop.keys.values() if key.is_active]
        counts = {name: len(table) for name, table in self.shop.tables.items() if len(table)}
        return {
            "version": self.shop.version_text,
            "settings": {"url": f"http://{self.domain}", "key": keys[0] if keys else ""},
            "keys": keys,
            "counts": counts,
        }

    def respond(self, request: Request) -> Response:
        """Answer a request as the shop would."""
        with self.shop.lock:
            self.shop.take_changes()
            kept = self._kept(request)
            return kept if kept is not None else self._respond(request)

    def empty(self, request: Request) -> Response:
        """An empty list in the format asked for."""
        place = read_place(request.path)
        resource = self.shop.resources.get(place.resource) if place else None
        parameters = read_parameters(request.parameters)
        headers = (POWERED, ("PSWS-Version", self.shop.version_text))
        if _wants_json(request, parameters):
            return Response(200, json_writer.NOTHING, (*headers, ("Content-Type", json_writer.CONTENT_TYPE)))
        plural = resource.plural if resource else "products"
        body = xml_writer.document(f"<{plural}>\n</{plural}>\n")
        return Response(200, body, (*headers, ("Content-Type", xml_writer.CONTENT_TYPE)))

    def _respond(self, request: Request) -> Response:
        started = clock.monotonic()
        place = read_place(request.path)
        if place is None:
            return public_image(self.shop, request) or self._home(request)
        parameters = read_parameters(request.parameters)
        is_json = _wants_json(request, parameters)
        content_type = json_writer.CONTENT_TYPE if is_json else xml_writer.CONTENT_TYPE
        version = "0"
        try:
            key = check_key(self.shop, request, parameters)
            version = self.shop.version_text
            check_host(request, self.domain)
            context = check_shop(self.shop, place, parameters, key=key)
            languages = read_languages(parameters.plain.get("language"), self.shop.languages())
            base = f"http://{self.domain or request.header('host')}/{folder_of(self.shop, context, place)}api/"
            method = _method(request, parameters)
            if not place.resource:
                body = root.resource_list(self.shop, key, base, is_json=is_json)
                response = Response(200, body, (("Content-Type", content_type),))
            else:
                resource = check_resource(self.shop, place.resource, key=key)
                check_method(self.shop, method, resource=resource, key=key)
                question = Question(resource, parameters, context, languages, base, is_json)
                response = self._answer(request, place, question, method=method)
        except Refused as refused:
            entries = warned(refused) if refused.is_list_error and self.shop.adds_warnings else refused
            body = (json_writer if is_json else xml_writer).errors(entries.entries)
            headers = [("Content-Type", content_type)]
            if refused.status == 401 and version == "0":
                headers.append(("WWW-Authenticate", f'Basic realm="{REALM}"'))
            response = Response(entries.status, body, tuple(headers))
        except Missing:
            response = Response(404)
        except Fatal:
            return Response(500, b"", (HTML_TYPE,), self.shop.take_changes(), closes=True)
        except Redirected:
            where = f"http://{self.domain}/?url={'/'.join((place.resource, *place.rest))}"
            return Response(302, b"", (("Location", where), HTML_TYPE), closes=True)
        except Unauthenticated:
            return Response(401, b"401 Unauthorized", (("WWW-Authenticate", f'Basic realm="{REALM}"'), HTML_TYPE))
        return self._finished(request, response, version=version, started=started)

    def _answer(self, request: Request, place: Place, question: Question, *, method: str) -> Response:
        content_type = json_writer.CONTENT_TYPE if question.is_json else xml_writer.CONTENT_TYPE
        if place.resource == "images":
            return answer_image(self.shop, request, place, method=method, question=question)
        if method in READS:
            if place.rest:
                body = read_one(self.shop, question, place.rest[0])
            else:
                body = read_list(self.shop, self._selections, question)
            return Response(200, body, (("Content-Type", content_type),))
        status, body = self._writer.write(method, request.body, place=place, question=question)
        return Response(status, body, (("Content-Type", content_type),) if body else ())

    def _finished(self, request: Request, response: Response, *, version: str, started: float) -> Response:
        """The answer with the headers every answer of the webservice carries."""
        spent = f"{clock.monotonic() - started:.3f}"
        headers = [
            POWERED,
            ("PSWS-Version", version),
            ("Execution-Time", spent),
            ("Access-Time", str(int(clock.now().timestamp()))),
            ("Set-Cookie", f"PrestaShop-{token_hex(16)}=def50200{token_hex(8)}; path=/; HttpOnly; SameSite=Lax"),
        ]
        if response.status < 300 and response.body:
            digest = hashlib.sha1(response.body, usedforsecurity=False).hexdigest()
            if request.header("local-content-sha1") == digest:
                return Response(304, b"", tuple(headers))
            headers.append(("Content-Sha1", digest))
        finished = Response(
            response.status,
            response.body,
            (*headers, *response.headers),
            self.shop.take_changes(),
            chunked=len(response.body) > LONGEST_UNCHUNKED,
        )
        self._keep(request, finished)
        return finished

    def _home(self, request: Request) -> Response:
        """Any address outside the webservice is a page of the shop."""
        page = b"<!DOCTYPE html><html><head><title>Demo Shop</title></head><body><h1>Demo Shop</h1></body></html>"
        return Response(200 if request.path == "/" else 404, page, (HTML_TYPE,))

    def _page_key(self, request: Request) -> object:
        names = ("authorization", "host", "output-format", "io-format", "local-content-sha1")
        return (request.method, request.target, *(request.header(name) for name in names))

    def _kept(self, request: Request) -> Response | None:
        if request.method != "GET":
            return None
        kept = self._pages.get(self._page_key(request))
        if kept is None or kept[0] != self._revision():
            return None
        fresh = ("Access-Time", str(int(clock.now().timestamp())))
        headers = tuple(fresh if header[0] == fresh[0] else header for header in kept[1].headers)
        return replace(kept[1], headers=headers)

    def _keep(self, request: Request, response: Response) -> None:
        """Remember a rendered page until anything changes; a benchmark asks for the same pages again and again."""
        if request.method != "GET" or response.status != 200:
            return
        if self._kept_bytes + len(response.body) > KEPT_BYTES or len(self._pages) >= KEPT_PAGES:
            self._pages.clear()
            self._kept_bytes = 0
        self._pages[self._page_key(request)] = (self._revision(), response)
        self._kept_bytes += len(response.body)

    def _revision(self) -> object:
        """Also changes with the keys and the switch, which decide before anything is read."""
        return (self.shop.revision, self.shop.is_enabled, self.domain, tuple(self.shop.keys.values()))


def _wants_json(request: Request, parameters: Parameters) -> bool:
    asked = parameters.get("output_format") or request.header("output-format") or request.header("io-format")
    return asked == "JSON"


def _method(request: Request, parameters: Parameters) -> str:
    """``ps_method`` replaces the verb of a POST."""
    if request.method == "POST" and "ps_method" in parameters:
        return parameters.get("ps_method").upper()
    return request.method
