(function(){var c=document.getElementById("clock");if(!c)return;
var left=+c.dataset.left,from=performance.now(),b=c.querySelector("b"),say=c.querySelector("small");
function two(n){return(n<10?"0":"")+n}
function tick(){var s=left-Math.floor((performance.now()-from)/1000),a=Math.abs(s),h=Math.floor(a/3600);
b.textContent=(h?h+":"+two(Math.floor(a%3600/60)):Math.floor(a/60))+":"+two(a%60);
if(s<0){say.textContent="已超时";c.parentNode.className="late"}}
tick();setInterval(tick,1000)})();
