"""The page's HTML: three sheets that print on A4 and read on a telephone."""

from __future__ import annotations

TEMPLATE = """<!DOCTYPE html>
<html lang="{{ r.words.language }}"><head><meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>{{ r.patient.title }}: {{ r.trial }}</title>
<style>
@page { size: A4; margin: 14mm; }
body { font: 16px/1.5 system-ui, "Segoe UI", "DejaVu Sans", sans-serif; color: #22282f;
  background: #eceeef; margin: 0; }
.sheet { background: #fff; max-width: 56rem; margin: 1.5rem auto; padding: 1.6rem 2.2rem;
  box-shadow: 0 1px 4px #0003; border-radius: 4px; }
h1 { font-size: 1.9rem; line-height: 1.2; margin: 0 0 .6rem; }
h2 { font-size: 1.15rem; margin: 1.5rem 0 .4rem; border-bottom: 2px solid #c2470f;
  padding-bottom: .15rem; }
p { margin: .4rem 0; }
.patient { font-size: 1.12rem; }
.patient li { margin: .35rem 0; }
.pictures { display: flex; flex-wrap: wrap; gap: 1.2rem; margin: 1rem 0 0; }
figure { margin: 0; flex: 1 1 19rem; }
figcaption { font-size: .86rem; color: #565f68; line-height: 1.4; }
.pictures h2 { margin-top: 0; }
svg { width: 100%; height: auto; }
.scroll { overflow-x: auto; }
table { border-collapse: collapse; width: 100%; font-size: .86rem; line-height: 1.35; }
th, td { border-bottom: 1px solid #dde1e4; padding: .22rem .6rem .22rem 0; text-align: right;
  vertical-align: top; font-variant-numeric: tabular-nums; }
th:first-child, td:first-child, .text { text-align: left; }
thead th { border-bottom: 1.5px solid #22282f; white-space: nowrap; }
.group th { padding-top: .8rem; color: #c2470f; border-bottom: 1px solid #c2470f; }
td small { color: #565f68; white-space: nowrap; }
abbr { text-decoration: underline dotted #98a1a9; text-underline-offset: .18em; cursor: help; }
.note { font-size: .86rem; color: #565f68; }
.banner { background: #fbeee6; border-left: 5px solid #c2470f; padding: .5rem .9rem;
  border-radius: 3px; margin: .6rem 0; }
.banner ul { margin: .2rem 0; padding-left: 1.2rem; }
dl { display: grid; grid-template-columns: max-content 1fr; gap: .1rem 1rem; margin: .4rem 0;
  font-size: .92rem; }
dt { color: #565f68; } dd { margin: 0; overflow-wrap: anywhere; }
.look { color: #8a5a00; font-weight: 600; } .fail { color: #a11; font-weight: 700; }
.pass { color: #22683b; }
code { font-size: .82em; overflow-wrap: anywhere; }
@media print { body { background: #fff; font-size: 10.5pt; } .sheet { box-shadow: none;
  margin: 0; padding: 0; max-width: none; break-after: page; }
  tr, figure { break-inside: avoid; } }
</style></head><body>
{% set say = r.words %}
<section class="sheet patient" id="patient">
<h1>{{ r.patient.title }}</h1>
{% if r.simulated %}<p class="banner">{{ r.patient.lead[0] }}</p>{% endif %}
{% for line in r.patient.lead %}{% if not (r.simulated and loop.first) %}<p>{{ line }}</p>
{% endif %}{% endfor %}
{% if r.pictures %}<div class="pictures">
{% for picture in r.pictures %}<figure><h2>{{ picture.title }}</h2>{{ svg(picture) }}
<figcaption>{{ picture.note }}</figcaption></figure>
{% endfor %}</div>{% endif %}
<h2>{{ say("patient.findings") }}</h2>
<ul>{% for line in r.patient.findings %}<li>{{ line }}</li>
{% endfor %}</ul>
<h2>{{ say("patient.meaning") }}</h2>
{% for line in r.patient.meaning %}<p>{{ line }}</p>
{% endfor %}</section>
<section class="sheet" id="clinician">
<h1>{{ say("clinician.title") }}</h1>
<p class="note">{{ say("clinician.estimate") }}</p>
{% if r.simulated %}<p class="banner">{{ say("clinician.simulated") }}</p>{% endif %}
<dl>{% for label, value in r.facts %}<dt>{{ label }}</dt><dd>{{ value }}</dd>
{% endfor %}{% for label, right, left in r.classes %}<dt>{{ label }}</dt>
<dd>{{ say("right") }}: {{ right }}; {{ say("left") }}: {{ left }}</dd>{% endfor %}</dl>
{% if r.warnings %}<div class="banner"><strong>{{ say("clinician.read_first") }}</strong>
<ul>{% for warning in r.warnings %}<li>{{ warning }}</li>{% endfor %}</ul></div>{% endif %}
{% if r.tables %}<div class="scroll"><table>
<thead><tr><th>{{ say("clinician.quantity") }}</th><th></th><th>{{ say("Right") }}</th>
<th>{{ say("Left") }}</th>{% if r.compared %}<th>{{ say("clinician.usual") }}</th>{% endif %}
<th>{{ say("clinician.difference") }}</th></tr></thead>
<tbody>{% for table in r.tables %}
<tr class="group"><th colspan="{{ 6 if r.compared else 5 }}">{{ table.title }}</th></tr>
{% for line in table.lines %}<tr><td><abbr title="{{ line.tip }}">{{ line.name }}</abbr></td>
<td class="text">{{ line.unit }}</td>
{% for cell in line.cells %}<td>{{ cell.mark }} {{ cell.median }}
{% if cell.interval %}<small>({{ cell.interval }})</small>{% endif %}</td>
{% endfor %}{% if r.compared %}<td>{{ line.usual }}</td>{% endif %}
<td>{% if line.distinct %}<strong>{{ line.difference }}</strong>{% else
%}{{ line.difference }}{% endif %}</td></tr>
{% endfor %}{% endfor %}</tbody></table></div>{% endif %}
{% for note in r.notes %}<p class="note">{{ note }}</p>{% endfor %}
{% for table in r.tables if table.group == "loads" %}
{% set sure = table.lines | selectattr("sure") | list %}
{% if sure %}<div class="scroll"><table><thead><tr><th>{{ table.title }}</th><th></th>
<th>{{ say("clinician.interval_right") }}</th><th>{{ say("clinician.interval_left") }}</th>
</tr></thead><tbody>{% for line in sure %}<tr><td>{{ line.name }}</td>
<td class="text">{{ line.unit }}</td><td>{{ line.intervals[0] }}</td>
<td>{{ line.intervals[1] }}</td></tr>{% endfor %}</tbody></table></div>{% endif %}
{% endfor %}
{% if r.curves %}<h2>{{ r.curves.title }}</h2>
<figure>{{ svg(r.curves) }}<figcaption>{{ r.curves.note }}</figcaption></figure>{% endif %}
{% if r.changes %}<h2>{{ r.changes.title }}</h2>
<div class="scroll"><table><thead><tr><th>{{ say("clinician.quantity") }}</th><th></th><th></th>
{% for column in r.changes.columns %}<th>{{ column }}</th>{% endfor %}</tr></thead>
<tbody>{% for line in r.changes.lines %}<tr><td>{{ line.name }}</td>
<td class="text">{{ line.side }}</td><td class="text">{{ line.unit }}</td>
{% for cell in line.cells %}<td>{% if cell.distinct %}<strong>{{ cell.change }}</strong>{% else
%}{{ cell.change }}{% endif %}
{% if cell.interval %} <small>({{ cell.interval }})</small>{% endif %}</td>
{% endfor %}</tr>{% endfor %}</tbody></table></div>
<p class="note">{{ r.changes.note }}</p>{% endif %}
<h2>{{ say("clinician.quality") }}</h2>
<dl>{% for label, value in r.quality %}<dt>{{ label }}</dt><dd>{{ value }}</dd>
{% endfor %}</dl>
{% if r.checks %}<table><thead><tr><th>{{ say("clinician.check") }}</th>
<th class="text">{{ say("clinician.verdict") }}</th>
<th class="text">{{ say("clinician.sentence") }}</th></tr></thead>
<tbody>{% for check in r.checks %}<tr><td>{{ check.title }}</td>
<td class="text {{ check.kind }}">{{ check.verdict }}</td>
<td class="text">{{ check.sentence }}</td></tr>{% endfor %}</tbody></table>{% endif %}
</section>
<section class="sheet" id="methods">
<h1>{{ say("methods.title") }}</h1>
{% for title, text in r.methods %}<h2>{{ title }}</h2><p>{{ text }}</p>{% endfor %}
<h2>{{ say("methods.provenance") }}</h2>
<dl>{% for name, digest in r.model %}<dt>{{ say("methods.model") }} {{ name }}</dt>
<dd><code>{{ digest }}</code></dd>{% endfor %}
{% for name, digest in r.inputs %}<dt>{{ name }}</dt>
<dd><code>{{ digest }}</code></dd>{% endfor %}
<dt>{{ say("methods.versions") }}</dt><dd>{{ r.versions }}</dd>
<dt>{{ say("methods.settings") }}</dt>
<dd>{% if r.settings %}{% for name, value in r.settings %}{{ name }}: {{ value }}{{
"" if loop.last else "; " }}{% endfor %}{% else %}{{ say("methods.settings_default") }}{% endif
%}</dd></dl>
<h2>{{ say("methods.citations") }}</h2>
<ul class="note">{% for line in citations %}<li>{{ line }}</li>{% endfor %}</ul>
<p class="note">{{ say("methods.licence") }} {{ say("methods.not_device") }}</p>
</section></body></html>
"""
