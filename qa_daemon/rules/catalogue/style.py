"""How the catalogue looks, and the few lines with which it is searched."""

from typing import Final

STYLE: Final = """
:root{--ink:#1b1f24;--soft:#57606a;--line:#d8dee4;--paper:#fff;--pale:#f6f8fa;--link:#0b5cad;
--critical:#a40e26;--major:#c93c37;--minor:#9a6700;--info:#0b7285}
@media(prefers-color-scheme:dark){:root{--ink:#e6edf3;--soft:#9198a1;--line:#30363d;--paper:#0d1117;
--pale:#161b22;--link:#6cb6ff;--critical:#ff7b90;--major:#ff8f88;--minor:#e3b341;--info:#66d9e8}}
*{box-sizing:border-box}
body{margin:0;display:grid;grid-template-columns:15rem minmax(0,1fr);color:var(--ink);
background:var(--paper);font:16px/1.5 system-ui,"Segoe UI",Roboto,sans-serif}
aside{position:sticky;top:0;height:100vh;overflow:auto;padding:1.5rem 1rem;background:var(--pale);
border-right:1px solid var(--line)}
aside strong{display:block;padding:0 .5rem .75rem}
input{width:100%;padding:.45rem .6rem;margin-bottom:1rem;border:1px solid var(--line);
border-radius:6px;background:var(--paper);color:inherit;font:inherit}
nav ul{list-style:none;margin:0;padding:0}
nav a{display:flex;justify-content:space-between;padding:.25rem .5rem;border-radius:6px;
color:inherit;text-decoration:none}
nav a:hover{background:var(--line)}nav span{color:var(--soft)}
main{max-width:60rem;padding:2rem 2.5rem 6rem}
h1{margin:0 0 .25rem;font-size:1.7rem}header p{margin:0;color:var(--soft)}
h2{margin:2.5rem 0 .75rem;font-size:1.2rem}
article{margin:0 0 1rem;padding:1rem 1.25rem;border:1px solid var(--line);border-left-width:4px;
border-radius:6px;scroll-margin-top:1rem}
article.critical{border-left-color:var(--critical)}article.major{border-left-color:var(--major)}
article.minor{border-left-color:var(--minor)}article.info{border-left-color:var(--info)}
article.off{opacity:.65;border-style:dashed}
article:target{outline:2px solid var(--link)}
h3{margin:0;font-size:1rem}h3 a{margin-right:.4rem;color:var(--link);text-decoration:none;
font:600 .9rem ui-monospace,Consolas,monospace;white-space:nowrap}
p{margin:.5rem 0}.marks{display:flex;flex-wrap:wrap;gap:.35rem;margin:.4rem 0}
.marks b{padding:0 .5rem;border:1px solid var(--line);border-radius:1rem;font-size:.8rem;
font-weight:500;color:var(--soft)}
.marks .critical,.marks .major,.marks .minor,.marks .info{font-weight:600;border-color:currentColor}
.critical>.marks .critical{color:var(--critical)}.major>.marks .major{color:var(--major)}
.minor>.marks .minor{color:var(--minor)}.info>.marks .info{color:var(--info)}
dl{display:grid;grid-template-columns:9.5rem minmax(0,1fr);gap:.35rem .75rem;margin:.75rem 0}
dt{color:var(--soft);font-size:.9rem}dd{margin:0}
pre{margin:0 0 .2rem;padding:.3rem .55rem;border-radius:4px;background:var(--pale);
font:.82rem/1.45 ui-monospace,Consolas,monospace;white-space:pre-wrap;overflow-wrap:anywhere}
em{font-style:normal;color:var(--soft);font-size:.9rem}
code{font:.85em ui-monospace,Consolas,monospace}
summary{cursor:pointer;color:var(--link);font-size:.9rem}
.wide{overflow-x:auto}table{width:100%;margin-top:.5rem;border-collapse:collapse;font-size:.87rem}
th,td{padding:.3rem .5rem;border-bottom:1px solid var(--line);text-align:left;vertical-align:top;
overflow-wrap:anywhere}th{color:var(--soft);font-weight:500}
td:nth-child(3){white-space:nowrap}
td.finding{color:var(--major);font-weight:600}td.passed{color:var(--soft)}
@media(max-width:50rem){body{display:block}aside{position:static;height:auto;border:0}
nav ul{display:flex;flex-wrap:wrap}nav a{gap:.4rem}main{padding:1rem}
dl{grid-template-columns:minmax(0,1fr);gap:0}dd{margin-bottom:.5rem}}
@media print{body{display:block}aside{display:none}article{break-inside:avoid}}
"""

SCRIPT: Final = """
const field=document.getElementById('filter'),cards=[...document.querySelectorAll('article')];
const words=new Map(cards.map(card=>[card,card.textContent.toLowerCase()]));
field.addEventListener('input',()=>{
 const asked=field.value.toLowerCase().split(/\\s+/).filter(Boolean);let shown=0;
 for(const card of cards){card.hidden=!asked.every(word=>words.get(card).includes(word));
  shown+=!card.hidden}
 for(const part of document.querySelectorAll('section'))
  part.hidden=!part.querySelector('article:not([hidden])');
 document.getElementById('none').hidden=shown>0});
"""
