import torch
import torch.nn.functional as F
from torch import Tensor, nn


class Slice(nn.Module):
    def forward(self, x: Tensor) -> Tensor:
        return x[:, :2160]


class Slice2(nn.Module):
    def __init__(self, end: int) -> None:
        super().__init__()
        self.end = end

    def forward(self, x: Tensor) -> Tensor:
        return x[:, :, : self.end]


class Slice3(nn.Module):
    def forward(self, x: Tensor) -> Tensor:
        return x[:, 90:]


class Rearrange(nn.Module):
    def forward(self, x: Tensor) -> Tensor:
        return x.unflatten(2, (4, -1)).transpose(1, 2)


class Unsqueeze(nn.Module):
    def forward(self, x: Tensor) -> Tensor:
        return x.unsqueeze(1)


class Expand(nn.Module):
    def forward(self, x: Tensor) -> Tensor:
        return x.expand(-1, 4, -1, -1)


class Mean(nn.Module):
    def forward(self, x: Tensor) -> Tensor:
        return x.mean(1)


class Gated(nn.Module):
    def __init__(self, size: int = 240) -> None:
        super().__init__()
        self.gate = nn.Sequential(nn.Dropout(0.1), nn.Linear(240, 2 * size), nn.GLU())
        self.out = nn.LayerNorm(size)

    def forward(self, skip: Tensor, x: Tensor) -> Tensor:
        gate = self.gate(x)
        sum = skip + gate
        del gate
        return self.out(sum)


class Residual(nn.Module):
    def __init__(self, in_features: int, size: int = 240) -> None:
        super().__init__()
        self.hidden = nn.Sequential(nn.Linear(in_features, 240), nn.ELU(), nn.Linear(240, 240))
        self.out = Gated(size=size)

    def forward(self, skip: Tensor, x: Tensor) -> Tensor:
        hidden = self.hidden(x)
        return self.out(skip, hidden)


class Own(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.out = Residual(240)

    def forward(self, x: Tensor) -> Tensor:
        return self.out(x, x)


class Select(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.skip = nn.Sequential(Slice(), nn.Linear(2160, 9))
        self.scores = Residual(2160, size=9)
        self.weights = nn.Softmax(dim=-1)
        self.own = nn.ModuleDict(
            {
                "item": Own(),
                "store": Own(),
                "city": Own(),
                "state": Own(),
                "kind": Own(),
                "cluster": Own(),
                "family": Own(),
                "group": Own(),
                "fresh": Own(),
            }
        )

    def forward(
        self,
        columns_item: Tensor,
        columns_store: Tensor,
        columns_city: Tensor,
        columns_state: Tensor,
        columns_kind: Tensor,
        columns_cluster: Tensor,
        columns_family: Tensor,
        columns_group: Tensor,
        columns_fresh: Tensor,
        given: Tensor,
    ) -> tuple[Tensor, Tensor]:
        skip = self.skip(given)  # (N, 9)
        weights = self.scores(skip, given)  # (N, 9)
        del skip
        weights = self.weights(weights)  # (N, 9)
        stacked = torch.stack(
            (
                self.own["item"](columns_item),
                self.own["store"](columns_store),
                self.own["city"](columns_city),
                self.own["state"](columns_state),
                self.own["kind"](columns_kind),
                self.own["cluster"](columns_cluster),
                self.own["family"](columns_family),
                self.own["group"](columns_group),
                self.own["fresh"](columns_fresh),
            ),
            -2,
        )  # (N, 9, 240)
        sum = torch.einsum("n...m,n...md->n...d", weights, stacked)  # (N, 240)
        del stacked
        return sum, weights


class Select2(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.skip = nn.Sequential(Slice2(2640), nn.Linear(2640, 11))
        self.scores = Residual(2880, size=11)
        self.weights = nn.Softmax(dim=-1)
        self.own = nn.ModuleDict(
            {
                "sales": Own(),
                "visits": Own(),
                "oil": Own(),
                "day": Own(),
                "month": Own(),
                "open": Own(),
                "promotion": Own(),
                "weekday": Own(),
                "holiday": Own(),
                "state_holiday": Own(),
                "city_holiday": Own(),
            }
        )

    def forward(
        self,
        columns_sales: Tensor,
        columns_visits: Tensor,
        columns_oil: Tensor,
        columns_day: Tensor,
        columns_month: Tensor,
        columns_open: Tensor,
        columns_promotion: Tensor,
        columns_weekday: Tensor,
        columns_holiday: Tensor,
        columns_state_holiday: Tensor,
        columns_city_holiday: Tensor,
        given: Tensor,
    ) -> tuple[Tensor, Tensor]:
        skip = self.skip(given)  # (N, 90, 11)
        weights = self.scores(skip, given)  # (N, 90, 11)
        del skip
        weights = self.weights(weights)  # (N, 90, 11)
        stacked = torch.stack(
            (
                self.own["sales"](columns_sales),
                self.own["visits"](columns_visits),
                self.own["oil"](columns_oil),
                self.own["day"](columns_day),
                self.own["month"](columns_month),
                self.own["open"](columns_open),
                self.own["promotion"](columns_promotion),
                self.own["weekday"](columns_weekday),
                self.own["holiday"](columns_holiday),
                self.own["state_holiday"](columns_state_holiday),
                self.own["city_holiday"](columns_city_holiday),
            ),
            -2,
        )  # (N, 90, 11, 240)
        sum = torch.einsum("n...m,n...md->n...d", weights, stacked)  # (N, 90, 240)
        del stacked
        return sum, weights


class Select3(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.skip = nn.Sequential(Slice2(1920), nn.Linear(1920, 8))
        self.scores = Residual(2160, size=8)
        self.weights = nn.Softmax(dim=-1)
        self.own = nn.ModuleDict(
            {
                "day": Own(),
                "month": Own(),
                "open": Own(),
                "promotion": Own(),
                "weekday": Own(),
                "holiday": Own(),
                "state_holiday": Own(),
                "city_holiday": Own(),
            }
        )

    def forward(
        self,
        columns_day: Tensor,
        columns_month: Tensor,
        columns_open: Tensor,
        columns_promotion: Tensor,
        columns_weekday: Tensor,
        columns_holiday: Tensor,
        columns_state_holiday: Tensor,
        columns_city_holiday: Tensor,
        given: Tensor,
    ) -> tuple[Tensor, Tensor]:
        skip = self.skip(given)  # (N, 30, 8)
        weights = self.scores(skip, given)  # (N, 30, 8)
        del skip
        weights = self.weights(weights)  # (N, 30, 8)
        stacked = torch.stack(
            (
                self.own["day"](columns_day),
                self.own["month"](columns_month),
                self.own["open"](columns_open),
                self.own["promotion"](columns_promotion),
                self.own["weekday"](columns_weekday),
                self.own["holiday"](columns_holiday),
                self.own["state_holiday"](columns_state_holiday),
                self.own["city_holiday"](columns_city_holiday),
            ),
            -2,
        )  # (N, 30, 8, 240)
        sum = torch.einsum("n...m,n...md->n...d", weights, stacked)  # (N, 30, 240)
        del stacked
        return sum, weights


class TemporalFusionTransformer(nn.Module):
    """Quantiles of sales on the next 30 days, with weights for
    columns (Lim et al. 2019, arXiv 1912.09363).

    Inputs: item (N,) int64, store (N,) int64, city (N,) int64, state (N,) int64, kind (N,) int64,
    cluster (N,) int64, family (N,) int64, group (N,) int64, fresh (N,) int64, sales (N, 90, 1),
    visits (N, 90, 1), oil (N, 90, 1), day (N, 120, 1), month (N, 120, 1), open (N, 120, 1),
    promotion (N, 120) int64, weekday (N, 120) int64, holiday (N, 120) int64, state_holiday (N, 120)
    int64, city_holiday (N, 120) int64. Outputs: quantiles (N, 30, 3), static (N, 9),
    past (N, 90, 11), future (N, 30, 8).
    """

    def __init__(self) -> None:
        super().__init__()
        self.static = nn.ModuleDict(
            {
                "item": nn.Embedding(4100, 240),
                "store": nn.Embedding(54, 240),
                "city": nn.Embedding(22, 240),
                "state": nn.Embedding(16, 240),
                "kind": nn.Embedding(5, 240),
                "cluster": nn.Embedding(17, 240),
                "family": nn.Embedding(33, 240),
                "group": nn.Embedding(337, 240),
                "fresh": nn.Embedding(2, 240),
            }
        )
        self.numbers = nn.ModuleDict(
            {
                "sales": nn.Linear(1, 240),
                "visits": nn.Linear(1, 240),
                "oil": nn.Linear(1, 240),
                "day": nn.Linear(1, 240),
                "month": nn.Linear(1, 240),
                "open": nn.Linear(1, 240),
            }
        )
        self.marks = nn.ModuleDict(
            {
                "promotion": nn.Embedding(3, 240),
                "weekday": nn.Embedding(7, 240),
                "holiday": nn.Embedding(90, 240),
                "state_holiday": nn.Embedding(5, 240),
                "city_holiday": nn.Embedding(28, 240),
            }
        )
        self.series = Select()
        self.context = nn.ModuleDict(
            {"select": Own(), "hidden": Own(), "cell": Own(), "enrich": Own()}
        )
        self.past = Select2()
        self.future = Select3()
        self.encoder = nn.LSTM(240, 240, batch_first=True)
        self.decoder = nn.LSTM(240, 240, batch_first=True)
        self.temporal = Gated()
        self.enriched = Residual(480)
        self.of = nn.ModuleDict(
            {
                "query": nn.Sequential(nn.Linear(240, 240), Rearrange()),
                "key": nn.Sequential(nn.Linear(240, 240), Rearrange()),
            }
        )
        self.value = nn.Sequential(nn.Linear(240, 60), Unsqueeze(), Expand())
        self.attended = nn.Sequential(Mean(), nn.Linear(60, 240))
        self.seen = Gated()
        self.decoded = Own()
        self.ahead = Gated()
        self.quantiles = nn.Sequential(Slice3(), nn.Linear(240, 3))

    def forward(
        self,
        *,
        item: Tensor,
        store: Tensor,
        city: Tensor,
        state: Tensor,
        kind: Tensor,
        cluster: Tensor,
        family: Tensor,
        group: Tensor,
        fresh: Tensor,
        sales: Tensor,
        visits: Tensor,
        oil: Tensor,
        day: Tensor,
        month: Tensor,
        open: Tensor,
        promotion: Tensor,
        weekday: Tensor,
        holiday: Tensor,
        state_holiday: Tensor,
        city_holiday: Tensor,
    ) -> dict[str, Tensor]:
        static_item = self.static["item"](item)  # (N, 240)
        static_store = self.static["store"](store)  # (N, 240)
        static_city = self.static["city"](city)  # (N, 240)
        static_state = self.static["state"](state)  # (N, 240)
        static_kind = self.static["kind"](kind)  # (N, 240)
        static_cluster = self.static["cluster"](cluster)  # (N, 240)
        static_family = self.static["family"](family)  # (N, 240)
        static_group = self.static["group"](group)  # (N, 240)
        static_fresh = self.static["fresh"](fresh)  # (N, 240)
        before_sales = self.numbers["sales"](sales)  # (N, 90, 240)
        before_visits = self.numbers["visits"](visits)  # (N, 90, 240)
        before_oil = self.numbers["oil"](oil)  # (N, 90, 240)
        numbers_day = self.numbers["day"](day)  # (N, 120, 240)
        numbers_month = self.numbers["month"](month)  # (N, 120, 240)
        numbers_open = self.numbers["open"](open)  # (N, 120, 240)
        marks_promotion = self.marks["promotion"](promotion)  # (N, 120, 240)
        marks_weekday = self.marks["weekday"](weekday)  # (N, 120, 240)
        marks_holiday = self.marks["holiday"](holiday)  # (N, 120, 240)
        marks_state_holiday = self.marks["state_holiday"](state_holiday)  # (N, 120, 240)
        marks_city_holiday = self.marks["city_holiday"](city_holiday)  # (N, 120, 240)
        before_sales = before_sales[:, :90]  # (N, 90, 240)
        before_visits = before_visits[:, :90]  # (N, 90, 240)
        before_oil = before_oil[:, :90]  # (N, 90, 240)
        before_day = numbers_day[:, :90]  # (N, 90, 240)
        before_month = numbers_month[:, :90]  # (N, 90, 240)
        before_open = numbers_open[:, :90]  # (N, 90, 240)
        before_promotion = marks_promotion[:, :90]  # (N, 90, 240)
        before_weekday = marks_weekday[:, :90]  # (N, 90, 240)
        before_holiday = marks_holiday[:, :90]  # (N, 90, 240)
        before_state_holiday = marks_state_holiday[:, :90]  # (N, 90, 240)
        before_city_holiday = marks_city_holiday[:, :90]  # (N, 90, 240)
        after_day = numbers_day[:, 90:]  # (N, 30, 240)
        del numbers_day
        after_month = numbers_month[:, 90:]  # (N, 30, 240)
        del numbers_month
        after_open = numbers_open[:, 90:]  # (N, 30, 240)
        del numbers_open
        after_promotion = marks_promotion[:, 90:]  # (N, 30, 240)
        del marks_promotion
        after_weekday = marks_weekday[:, 90:]  # (N, 30, 240)
        del marks_weekday
        after_holiday = marks_holiday[:, 90:]  # (N, 30, 240)
        del marks_holiday
        after_state_holiday = marks_state_holiday[:, 90:]  # (N, 30, 240)
        del marks_state_holiday
        after_city_holiday = marks_city_holiday[:, 90:]  # (N, 30, 240)
        del marks_city_holiday
        about = torch.cat(
            (
                static_item,
                static_store,
                static_city,
                static_state,
                static_kind,
                static_cluster,
                static_family,
                static_group,
                static_fresh,
            ),
            1,
        )  # (N, 2160)
        series_sum, series_weights = self.series(
            static_item,
            static_store,
            static_city,
            static_state,
            static_kind,
            static_cluster,
            static_family,
            static_group,
            static_fresh,
            about,
        )  # (N, 240), (N, 9)
        del (
            static_item,
            static_store,
            static_city,
            static_state,
            static_kind,
            static_cluster,
            static_family,
            static_group,
            static_fresh,
            about,
        )
        daily_select = self.context["select"](series_sum)  # (N, 240)
        context_hidden = self.context["hidden"](series_sum)  # (N, 240)
        context_cell = self.context["cell"](series_sum)  # (N, 240)
        daily_enrich = self.context["enrich"](series_sum)  # (N, 240)
        del series_sum
        daily_select = daily_select.unsqueeze(1)  # (N, 1, 240)
        daily_enrich = daily_enrich.unsqueeze(1)  # (N, 1, 240)
        about_past = torch.cat(
            (
                before_sales,
                before_visits,
                before_oil,
                before_day,
                before_month,
                before_open,
                before_promotion,
                before_weekday,
                before_holiday,
                before_state_holiday,
                before_city_holiday,
                daily_select.expand(-1, 90, -1),
            ),
            -1,
        )  # (N, 90, 2880)
        past_sum, past_weights = self.past(
            before_sales,
            before_visits,
            before_oil,
            before_day,
            before_month,
            before_open,
            before_promotion,
            before_weekday,
            before_holiday,
            before_state_holiday,
            before_city_holiday,
            about_past,
        )  # (N, 90, 240), (N, 90, 11)
        del (
            before_sales,
            before_visits,
            before_oil,
            before_day,
            before_month,
            before_open,
            before_promotion,
            before_weekday,
            before_holiday,
            before_state_holiday,
            before_city_holiday,
            about_past,
        )
        about_future = torch.cat(
            (
                after_day,
                after_month,
                after_open,
                after_promotion,
                after_weekday,
                after_holiday,
                after_state_holiday,
                after_city_holiday,
                daily_select.expand(-1, 30, -1),
            ),
            -1,
        )  # (N, 30, 2160)
        del daily_select
        future_sum, future_weights = self.future(
            after_day,
            after_month,
            after_open,
            after_promotion,
            after_weekday,
            after_holiday,
            after_state_holiday,
            after_city_holiday,
            about_future,
        )  # (N, 30, 240), (N, 30, 8)
        del (
            after_day,
            after_month,
            after_open,
            after_promotion,
            after_weekday,
            after_holiday,
            after_state_holiday,
            after_city_holiday,
            about_future,
        )
        selected = torch.cat((past_sum, future_sum), 1)  # (N, 120, 240)
        encoder_output, encoder_state = self.encoder(
            past_sum,
            (context_hidden.unsqueeze(0), context_cell.unsqueeze(0)),
        )
        del past_sum, context_hidden, context_cell
        encoder_hidden = encoder_state[0].transpose(0, 1)  # (N, 1, 240)
        encoder_cell = encoder_state[1].transpose(0, 1)  # (N, 1, 240)
        del encoder_state
        decoder = self.decoder(
            future_sum,
            (encoder_hidden.transpose(0, 1), encoder_cell.transpose(0, 1)),
        )[0]  # (N, 30, 240)
        del future_sum, encoder_hidden, encoder_cell
        read = torch.cat((encoder_output, decoder), 1)  # (N, 120, 240)
        del encoder_output, decoder
        temporal = self.temporal(selected, read)  # (N, 120, 240)
        del selected, read
        about_days = torch.cat((temporal, daily_enrich.expand(-1, 120, -1)), -1)  # (N, 120, 480)
        del daily_enrich
        enriched = self.enriched(temporal, about_days)  # (N, 120, 240)
        del about_days
        of_query = self.of["query"](enriched)  # (N, 4, 120, 60)
        of_key = self.of["key"](enriched)  # (N, 4, 120, 60)
        value = self.value(enriched)  # (N, 4, 120, 60)
        attended = F.scaled_dot_product_attention(of_query, of_key, value, is_causal=True)
        del of_query, of_key, value
        attended = self.attended(attended)  # (N, 120, 240)
        decoded = self.seen(enriched, attended)  # (N, 120, 240)
        del enriched, attended
        decoded = self.decoded(decoded)  # (N, 120, 240)
        quantiles = self.ahead(temporal, decoded)  # (N, 120, 240)
        del temporal, decoded
        quantiles = self.quantiles(quantiles)  # (N, 30, 3)
        return {
            "quantiles": quantiles,
            "static": series_weights,
            "past": past_weights,
            "future": future_weights,
        }
