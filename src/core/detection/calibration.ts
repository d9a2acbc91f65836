// Made by `npm run calibrate:detection` from attack-free runs only: softmax regression on MNIST, 300 images a site, in five
// partitions (IID, Dirichlet 1.0, 0.5, 0.1, sorted by label), 40 rounds, rule watchful, seeds from 100 on:
// 40 seeds of 5 clients, 30 seeds of 10 clients, 24 seeds of 20 clients, 8 seeds of 40 clients.
/* oxlint-disable oxc/approx-constant -- a measured limit may come near a constant */
import type { Calibration } from './calibration-table.ts';

export const calibration: Calibration = {
  cohorts: [5, 10, 20, 40],
  horizons: [1, 2, 4, 10, 20],
  shares: [0.1, 0.03, 0.01, 0.003, 0.001],
  features: [
    [
      [8.054, 8.846, 8.14, 8.054, 7.51, 8.74, 7.355, 7.828, 9.067, 8.054, 8.054, 8.054, 0.04, 12.1, 8.054, 8.054, 0],
      [9.774, 8.355, 8.919, 7.341, 7.32, 7.69, 7.355, 7.571, 8.43, 8.577, 10.05, 7.356, 0.03, 11.22, 5.99, 8.352, 0],
      [9.791, 7.765, 8.317, 6.726, 7.23, 7.225, 7.35, 7.586, 8.525, 9.118, 10.02, 6.875, 0.025, 10.22, 5.18, 7.012, 0],
      [
        9.494, 6.802, 8.143, 5.851, 6.882, 6.524, 7.342, 7.564, 8.533, 9.299, 8.882, 6.662, 0.018, 9.794, 4.179, 6.44,
        0,
      ],
      [
        8.818, 5.009, 7.862, 4.498, 6.434, 5.449, 7.336, 7.355, 8.404, 9.478, 9.618, 6.572, 0.01401, 9.772, 3.465,
        6.404, 0,
      ],
    ],
    [
      [
        5.266, 5.086, 4.507, 4.277, 3.851, 4.463, 4.389, 5.156, 5.336, 4.787, 6.855, 3.228, 0.04, 10.72, 4.247, 5.728,
        0,
      ],
      [5.246, 4.933, 4.605, 4.195, 4.07, 4.675, 4.389, 4.845, 5.489, 4.886, 6.518, 3.62, 0.03, 9.808, 3.97, 5.664, 0],
      [
        5.149, 4.819, 4.364, 4.09, 4.011, 4.261, 4.389, 4.697, 5.558, 4.735, 6.296, 3.605, 0.0225, 9.412, 3.578, 5.28,
        0,
      ],
      [
        5.355, 4.244, 4.194, 3.595, 3.914, 4.028, 4.362, 4.603, 5.526, 4.549, 6.35, 3.522, 0.01501, 8.932, 3.044, 4.993,
        0,
      ],
      [
        5.494, 3.605, 4.537, 3.312, 3.805, 4.05, 4.341, 4.489, 5.891, 4.965, 6.496, 3.461, 0.012, 8.929, 2.396, 5.109,
        0,
      ],
    ],
    [
      [3.727, 3.877, 3.348, 3.397, 4.337, 3.268, 3.547, 5.096, 5.536, 3.787, 5.846, 2.768, 0.04, 11.2, 3.258, 4.397, 0],
      [3.645, 3.799, 3.573, 3.505, 4.467, 3.32, 3.547, 4.822, 5.503, 3.67, 4.825, 2.792, 0.03, 10.66, 3.35, 4.624, 0],
      [
        3.626, 3.805, 3.578, 3.4, 4.464, 3.404, 3.544, 4.688, 5.626, 3.538, 4.693, 2.876, 0.0225, 10.27, 3.097, 4.623,
        0,
      ],
      [
        3.566, 3.702, 3.776, 3.325, 4.391, 3.396, 3.544, 4.536, 5.62, 3.547, 4.521, 2.869, 0.016, 9.491, 2.795, 4.388,
        0,
      ],
      [
        3.654, 3.221, 3.822, 3.058, 4.398, 3.318, 3.544, 4.867, 5.733, 3.473, 4.652, 2.93, 0.01251, 9.211, 2.688, 4.35,
        0,
      ],
    ],
    [
      [3.312, 3.358, 3.098, 2.908, 5.866, 2.948, 3.088, 4.757, 3.407, 3.268, 6.825, 2.498, 0.04, 11.6, 2.888, 4.057, 0],
      [
        3.255, 3.262, 3.082, 3.104, 5.733, 2.997, 3.083, 4.724, 3.347, 3.225, 6.094, 2.493, 0.03, 10.67, 3.038, 4.162,
        0,
      ],
      [3.197, 3.439, 3.105, 3.089, 5.688, 2.99, 3.08, 4.652, 3.31, 3.167, 6.215, 2.547, 0.0225, 10.11, 3.073, 4.133, 0],
      [3.13, 3.408, 3.36, 3.146, 5.655, 2.995, 3.079, 4.516, 3.291, 3.072, 6.321, 2.57, 0.016, 9.802, 2.847, 4.114, 0],
      [3.358, 3.237, 3.49, 3.006, 5.574, 2.944, 3.078, 4.569, 3.178, 3.055, 6.731, 2.667, 0.012, 9.645, 2.647, 4.1, 0],
    ],
  ],
  lengths: [
    [6.11, 6.08, 6.019, 5.468, 4.707],
    [4.807, 2.858, 2.851, 2.77, 2.65],
    [4.904, 3.651, 2.908, 2.406, 2.282],
    [4.096, 2.815, 2.393, 2.298, 2.16],
  ],
  quiet:
    'AAQCDPsAAv/8/AECAAwA9wD9AwQCBgL//QL//PwA+AIHAP8DBQIGAgMA/vwI/AD5/wYABf38+hn0EvgDBAoMAPv/CAD/BQb8Agn2Df7+Av8A7wIJAAzw8/gE7vkBCBUIEQD/BQcAD//6+vsK6wELDf3/AAH+CAAQ9Pj0/vIF9goUBgcA+QwRAAT19Pn9/+kABQUC/AADBP8ABgIE9/sO+v8CAwL6APoBBAD3+vsHAAX//f37AP4ABQX6AAD6+wUFAQoBAwL3/QAFAv0A9wUGCQ0BBQ/9+f79AP4A/wAB9/j8BAD7CgQFBwAA/vwAAAr6+/j7/gYFAQf//gD/BwMA/AoHCfYL/AT//f/7APMACADyDhIFBQAKBvbw/QAABP/7AP4AAAgF+v8DAf//AwACCwEADP8C+wX/DQIDB/kJAAICBgD5AAAAEQMIFP76//4ABP/2APsCAAL6/QXt/v3/AwD2/wQABfb8++sB8fwEBggJAP4CBQAGAP4I+wL/9QYFHvAABQP/AP3y7+r68/X/BAX6AwACAwAABQEA9fYGAwAGBAL8AAH9/AD/+fj+A/71CQQEAv8A+/sFAAYDAQnz+gHxBgUEGgAQBvoAB/r++Qv3AAoFBwf/AAAFBQD9AgQD//0CBfb8AfsABwH3APoKBgUDBQ8C/PgBBgD7+/8AAAAB8wkF/gD+//wBAP3+BAD1AAL/BgABBfX4BP8AAwH0APoCAP0NBQYG//0EAwD8AQMACP77Afr5+RkGCgL+AAb8/wD2CAMIAAL9Dfj3AfcA+QAAAPQDBgUCBQEI9vH+CQADAPcA/gIFBP8L/gr+/AT9AP8AAAD3AAP6AQAG/Pz5/f0A//37AAD3+gAH+wX2AgMBGQD1BQcAAvv8BBD/9xcGBPsJAAQAAgAN9/r7B/oM/wQJEfwAAAcAAAMCBgEA/hP2/P8GAAAJ+vcAAP7/CAr/BQMBA/gAAPkAAgD5BQUG7v7+9fz5BPkA/P4AAP3+/QEB+AAAAP7+/QD6BAMAEvj+9/v+8QUGEf73AAIFBgAF8PP59uX/BAQGA/kA/QYIAPwHBv/4CPsB+vkCAQD+/wAA7BMXBwIKAA707fcBAAoA7AAM8vXy/PTzAgwRAQIAAQQCAAL+/PoKAf4IBgMBBgABAAEA+QYIAgD//Ab+/Pz8APT/AwAE+PYE+vgD9gIHDhEAAQADABAQDgEFC/oTBgz//gD59wcA6/n6/fz2Dfj49/sKAP0F/gAA+/zz9PIF+AX/CPgA/gcEAPsHCQkJBf8J/vz7DwD//gIADAYACgAT+v0RDvr9AOX+EQD+AP/6DgIE/AD/+Q0ABvr5AAQE/wD+BP7sBQUG9wDpAwkA+fv8/v/9Cv74+/77AO4LBQAF+/z8+ff8/QQGEQMABf/7AAcLBwcDCfoMBQUMAAAF9fsAAwUC/gML/fAGBvoCAKALHADyAAUADP/9Evf29gkA+wD9APcAAv37AQn3+/gK/wDxBQkA/P3//P77DPsB/P/yAAX8+QD/9PDv+vf7AAEDBwcA8gMFAAT79fcVBw77BggA/ADtAggAAAEA//7+BAP+AAv6AOwEEAANB/0A9wry8wwOC/sA0/kkAO32//Tt6xP99/b7AQD7A/wABQAA/f4BAQIIB/0CANkECwAKAP/98wX86gEM+/oA6PgLAPv/+v0A/Af96f4Q+QAI+fMABPv58xDjC/0GBQgDAP//AQAL8fTs/PgM0w4MAwUAwhEnAPL0BP/+9gYC7vIQ/wAF/O0ACfb08+4DAdwPDyD9AOAFKgAGBv4G8wT+AhAIAP0AA/0AAAgAAQT4BPUBBQUZBQAE+wEA+fz//QD/AQX6+QUAAAH+/QAGDAMMAAjtCwYFBwAA3QYPAAAFAwT/CvsAAgD+AgAD+vsA/P8ECPsR+Ar//AoGAAYA+QABBwUGBgb5BwMB//8A9gEFAAf9+vz3/hbuBggHAQDJACAAAPfx+PT4+v36/w4IAAb5+QAEDQITFQUDDgUHBv8ABPv/AAD59fH69wzqAgL8GAAGAPcAAAEB/PUABeb1/wwBAPwDBQALDQsKCAf/BBcLBgUA5voOAAIJBQcBDPIFAAD6+wDyBAoAAQD7/fn+AwD9AhAAAPMJCAAIAgMF+gr+AgcIAfsA/AYGAAP7/AL4APMEAAMK9gD/AAEA9wAB/wP8AAL8+fr7AAL6+AD+AgQPAPYNAP7++/0A/gwBAAsGBAUAAwL8BgsGAQAD/wAAAf8DAQP9AwX/APoAAAX98wDh8/nu+vQb+fX0+/8A+Qr9ABQC/wD5AP0ADhEM+QDoCCMACgwC+A71CPoHDAAAANkCHQAAAwP+8fYE+P0ADwMAAQAAAAoLAg8DB/UHDQ4H+gD1BgoACgMFAP7+CesGDwsRAAj3+AAHAPz/B/wBBwYIDP0A/wIEAPkAAgAG+wz2+fn6+wD/A/4ADP31///9+wICDAQUAPoFCgDr+wH4DPsXBu/vAAIA+gT5APoLDAYCFvsG/vz9BgAF+foAAvXy9e/0AvsEBAP1AAUF/gD0/P8A+/kI//v4+O8ABAHyAOf8AvQL/Qz85Pb9+AAH+uwA+AQGAg0BBP78+wIHAPgBAAAC/PwF/wIABQUD+vQABAD+APsHBgYFBv4D9/r9AAAF+/sAAvX1+PP3CPMAAg/6AAcC+wAECwkKCQ79BgUD+vgABPUAAAkC+v31/f/sCwoE+gDf+xYA8/r7+fz+A/8F+fn4APsC/wD1BgYFAAT/+wD69QgAAPv7AP78/QED+wT9+v76DQADAf8ACA0ICwEL6woODPv7AAD+AQD+AP8D/QP6/PkABiAABfr6ABAaGhIIEu0PFBQACwAE+AYAAP0AAAL/C/b///8KAM0IDADxAAMCBgIEBfj0/fkA0A8IAPkIBQMGBgIC9vgAAgD5AQEAAQICAAMC/wcAAAIBAAX0/AD2CBIEBQAADPb5+wIA9f8AAP0EAP0B9wj++P0M+wDZAQ8ACgYFBQEC//oRCAAAAAX4AAD/EAQDBxD4CAP/AP0A+QMBAPD1+fb69RD7/fn5+gD3CP4ABvz7AAIAAAQGBQEAAAP+AAD+/fv//fYI9v7//wYA+AYDAP7zAfH19Qny+vUZAAAG+fYA5/b1+vbwFef49gABAAj78wD8+/74CgIFBvj9AAMA8QYEAPQABP0D9QkA+vn4AQDjCAkACAUHBAQF+QoMCfH8AAH9BAAABQUEBgf9BwD+B/sA9QQMAPgGCQ0BBQEF+fj+BQD4/gMA/v/+BvkB9QYNAPr7AAX++AD9AgIBAP8D+/8A/hAA/AEAAAYC+REC/voBAAkMBAD1/QgAAAAAAAAEBhEHA/z8AAIAAwAMFAYGAwr29Q4O/wUAy/g+AAENCAkDBfkKA/8DAwDRCxEABf8AAQv////7AAXzAAYC/gAO/vH8+wX2/xMMAQUAA/8FAO75/fsA+wb97fb6AQDzDAIAABINFQsT/AH//gwBAAX4+QAE/Pv99f/9+AUFAvMAAP4BAAAB/An6+gX7AwEH9gAA+/4A+AkJBgwO+Qbz8wX6AAX2+wD/BwYLEv0CAQEA+vkAAv7/APoEAwcBAv4CAPn+AgAB//4A6g4NFAgABAX39PoBAPEGAAD5AQUABgEABPv3+fsA/QP9AP/79f/z+wb9/wD5CQAEA/sA+PUE+/b8Bvf5+gbxAAYD+QAD+/j8+gL9+AEDCg8AAwL7AAkO/wkJEPgHCQkI+wD5/g0A/vn3+/H7BfsA/fv3AP8F/wACBAUCBQf7BwACAPkABP77AAYE/AEAAvgEBQf6AwD8AgcA/g0FEA0L+RAA/fv/AAD3/QDt+AH+AQAE+fr0+f4A/wX4AAUH+wcPD/UF/wX+7QD5+QYA+AQDBgoDAAMC+wAAAP8A/gD4///+BAAFBfz9+QgA9wP+APH+DA3+/xH+9vcABQAH1fYACPn2+OjyBPIHC/z+AO8JEQDr8wf30+0a6u/2+wAACPLOAPYDBAAF+w///foMBACpCRAAAgD+AAD9/vj7AgAJAAUD/AAC/v39/voF/gwCLfgA8AgHAPv8//z7/wYA+Pz5AQAAAfwAA/P0+/L5BPX1BfkLAAMMAAAHFw0bCAbxB/4FCP4A7vcRAAUC+wf4AvEABgUE+ADZ9xAA+QMHBQf2DQMC/fv3AKcHGgAA+/r2AAUACgIBHvwAAQD9AA0PBgcIDfEMGRQV+wAE8gQABgL3BAAH9gkJCQgCAAD/AgD/+evz9uwP4gAAAfwAuAcSAAQJ/AIDBPf/AgX+BgAC/AAA+fn8+PT3EPv5+fryAP4I+QD9CgoHAgz+Afv8+/8ApwARAP38B/b3/v0A+vz8/wAGBfcA//8AAv0D/PwA/hEHAP/9AAALDfUGAQb2CxUQGAYAAfwJAAUPEAwNC/cFBgT89QAA8wEA/PsEAQD3A/7//fjoAAX/9gAE/fn+/vUDBAD/EA4A7QITAAIDAQEBAv8B/gH/+gD9AwEA/AYJAwgE/QgA+vsFAAL1+gAA8vsG/P8E9+sAAwMAAQD/AAH/+vsEBv4BBgL//gD+Af4AAQkE+wUDAAXwAPwEAPP/BQAFA/X/9wP6/w8H9QEA8/8LAAUDAAYFBfsCBgYF+AAB+gAA3fsQ/fD6F/v18vkJAAjr7wAF+Oz2+QL8+wQG+wMAAggAAP8I/P4FCf4CAP8I/wAC//sAA/b0/v7wBAD7AQD6AAb++QACFfMNFB32BxEGCwEA+/4DAAoH/wUGBfoHBgwCAQAC+wMA/f37/P3/AwEB//oCAPoK/QAJ+vX++wP8+wYM/fwABAIAAAAE/wgBBf4DAgAS+AD/+wEABQD9//v//wH7Bf//AAEBAQAACAANGAUED/37AAcA/vT/AAb3+PYA/wAA/wYA+wAB/QAA+vz9/gICCAMC+wH/APcODgAEC//4IQf/CwMGAQMA8PkVAAoECQIKCPQIAQYM/wAAAQMABQv8CRII+ggHBv35APn9BgD0AP4A9fsI6eX2/gUABPv3AP3+/fv5Du32Av0BBgAC//oA/wkCACMR7xT7/fsCAP8BAQDz//8A/PsC8tDx+hUAA//zAPn/AQXr9wroAP33CAABA/cA+woOCBIFAhAE+/j8AP35AAAEEP8DAfsA+AYGBvwAAvgDAPf99/z/A/8CAvj0BAAC+fMABh39E/YCAuwECP8GAPf8DwD9CgcGHhf6EQL8/wkA7QAdAAQPAAcTAv8LBwP6BAD7/QkA9PkG/fzuCPj/+PoFAAQE8gABAwUI/vz9+QQA9voAAv/6AAf++/3+/AT+BAUWBwAABAQA/P76/gEABf/9/vr2AAIA+gAO/vYIAAf4BAoQAgwAAvwGAAH//fn78gz2BgICAQD/BgEACfb08+XvDOEDDgr1AAIEAwD4BQUH+PoP7wT6+g4AA/n3AAD9AAsDAQgP3gMH+wD+/wIAEgEMAQbxAf+4Dz8CAAMDAAACBg0DI/8BGf79NgEA/wECAAMN+w/+AgAFEAcMDgD4/w0AK/wpBP/7/gDoGAH7AAP/CwD7Cfv/IewGCgX/+gYAAQH6ABQDMgb5+fn/5REGBAAC8fsA9wMNAAf7B/j89/oKAAL+8gD59fj8Af//Afv6+wEAAf/7AAcA+fT/BgMCCgz69QD7/ggAF/k2+PnfD+8EDAL/AAL3+wAHAfD9AP4A/P8K/v8AAQH+APb8A/v7+gX53Pv+CAACAfkAFQUjAf7/+wAHEP0RAAPx9gD5/gj4AwQFCP75A/0A/wH8APv7+vf/Be8C2PwQ+gD/BvsAB/n5AgQB/AEJCgD0AAD/BgA=',
  detectors: {
    clustering: [
      [
        [2.057, 2.958, 3.814, 4.594, 5.354],
        [2.047, 2.981, 3.915, 4.793, 5.382],
        [2.045, 3.06, 4.076, 5.071, 5.988],
        [2.085, 3.052, 4.106, 5.209, 5.961],
        [2.083, 3.013, 4.159, 4.829, 5.831],
      ],
      [
        [1.917, 2.718, 3.377, 4.11, 4.629],
        [1.914, 2.679, 3.352, 4.084, 4.615],
        [1.895, 2.68, 3.338, 4.044, 4.582],
        [1.88, 2.712, 3.367, 4.128, 4.462],
        [1.889, 2.759, 3.302, 3.818, 4.346],
      ],
      [
        [1.995, 2.87, 3.506, 4.113, 4.721],
        [1.969, 2.829, 3.473, 4.099, 4.651],
        [1.986, 2.863, 3.527, 4.121, 4.737],
        [1.998, 2.877, 3.569, 4.016, 4.452],
        [2.003, 2.779, 3.428, 3.891, 4.728],
      ],
      [
        [2.156, 3.02, 3.641, 4.169, 4.706],
        [2.138, 3.01, 3.711, 4.37, 5.162],
        [2.144, 3.006, 3.658, 4.373, 5.329],
        [2.161, 3.075, 3.713, 4.277, 4.786],
        [2.173, 3.082, 3.62, 4.01, 4.204],
      ],
    ],
    'isolation-forest': [
      [
        [0.5196, 0.5588, 0.5857, 0.6065, 0.6168],
        [0.5213, 0.5606, 0.5886, 0.6085, 0.6223],
        [0.5199, 0.5596, 0.5882, 0.6098, 0.6201],
        [0.5173, 0.5578, 0.5883, 0.6135, 0.6218],
        [0.5147, 0.5512, 0.5828, 0.6115, 0.6168],
      ],
      [
        [0.4982, 0.5327, 0.5557, 0.576, 0.5873],
        [0.4994, 0.5314, 0.5547, 0.5745, 0.5866],
        [0.4979, 0.5298, 0.5519, 0.5714, 0.5901],
        [0.4953, 0.5288, 0.5516, 0.5675, 0.5833],
        [0.4927, 0.5225, 0.5436, 0.5653, 0.5812],
      ],
      [
        [0.4948, 0.5248, 0.5493, 0.5731, 0.5886],
        [0.4943, 0.5244, 0.548, 0.5694, 0.5826],
        [0.4934, 0.5237, 0.5485, 0.5678, 0.585],
        [0.4906, 0.521, 0.5478, 0.5653, 0.58],
        [0.4888, 0.517, 0.5409, 0.5585, 0.573],
      ],
      [
        [0.4926, 0.521, 0.5437, 0.5595, 0.5755],
        [0.4924, 0.5203, 0.5444, 0.5623, 0.5749],
        [0.4912, 0.5199, 0.5409, 0.5649, 0.5759],
        [0.4886, 0.5198, 0.5421, 0.5597, 0.5688],
        [0.4877, 0.5155, 0.5362, 0.5585, 0.5715],
      ],
    ],
    opposition: [
      [
        [2.502, 5.479, 8.346, 11.69, 14.52],
        [2.284, 4.471, 6.407, 9.386, 12.91],
        [2.072, 3.926, 6.301, 8.453, 11.13],
        [1.809, 3.547, 5.279, 7.243, 8.613],
        [1.779, 3.119, 4.309, 5.945, 7.188],
      ],
      [
        [2.018, 3.417, 5.061, 6.999, 9.077],
        [2.027, 3.368, 4.773, 6.465, 8.05],
        [1.953, 3.179, 4.402, 5.589, 7.001],
        [1.799, 2.855, 3.968, 5.139, 6.104],
        [1.739, 2.696, 3.805, 4.7, 5.318],
      ],
      [
        [1.967, 3.138, 4.147, 5.311, 6.247],
        [1.942, 3.081, 4.062, 5.022, 5.707],
        [1.89, 2.961, 3.906, 4.822, 5.85],
        [1.786, 2.857, 3.782, 4.597, 5.403],
        [1.689, 2.762, 3.629, 4.526, 5.435],
      ],
      [
        [1.899, 2.867, 3.667, 4.574, 5.426],
        [1.886, 2.848, 3.614, 4.358, 5.243],
        [1.837, 2.761, 3.44, 4.367, 5.394],
        [1.804, 2.653, 3.337, 4.126, 4.719],
        [1.734, 2.668, 3.239, 4.124, 4.449],
      ],
    ],
    prediction: [
      [
        [0.4666, 0.9162, 1.297, 1.97, 1.987],
        [0.5067, 0.8514, 1.178, 1.476, 1.659],
        [0.5431, 0.8736, 1.194, 1.485, 1.793],
        [0.5437, 0.8817, 1.173, 1.43, 1.759],
        [0.536, 0.8292, 1.188, 1.344, 1.619],
      ],
      [
        [0.5223, 0.8566, 1.204, 1.494, 1.882],
        [0.5652, 0.8836, 1.185, 1.585, 1.933],
        [0.5757, 0.8821, 1.164, 1.487, 2],
        [0.5788, 0.8814, 1.164, 1.466, 1.665],
        [0.591, 0.8812, 1.174, 1.451, 1.719],
      ],
      [
        [0.6251, 0.884, 1.157, 1.516, 1.818],
        [0.6155, 0.8914, 1.166, 1.472, 1.805],
        [0.6046, 0.8719, 1.168, 1.509, 1.813],
        [0.5691, 0.8612, 1.206, 1.567, 1.776],
        [0.5409, 0.8408, 1.144, 1.53, 1.805],
      ],
      [
        [0.6643, 0.9098, 1.126, 1.339, 1.498],
        [0.6427, 0.897, 1.133, 1.347, 1.638],
        [0.5963, 0.8544, 1.154, 1.456, 1.689],
        [0.5512, 0.8441, 1.158, 1.458, 1.833],
        [0.5505, 0.7989, 1.108, 1.401, 1.907],
      ],
    ],
    'robust-thresholds': [
      [
        [1.071, 1.595, 1.966, 1.987, 2.044],
        [1.066, 1.468, 1.801, 1.943, 2.135],
        [1.033, 1.433, 1.754, 1.984, 2.16],
        [1.022, 1.389, 1.691, 1.862, 1.963],
        [1.013, 1.326, 1.61, 1.907, 2.247],
      ],
      [
        [1.054, 1.493, 1.787, 2.257, 2.697],
        [1.044, 1.477, 1.79, 2.146, 2.511],
        [1.034, 1.439, 1.799, 2.199, 2.552],
        [1.037, 1.456, 1.792, 2.031, 2.253],
        [1.033, 1.422, 1.719, 2.045, 2.172],
      ],
      [
        [1.028, 1.407, 1.686, 2.106, 2.256],
        [1.03, 1.378, 1.644, 2.009, 2.345],
        [1.025, 1.367, 1.675, 2.049, 2.518],
        [1.016, 1.354, 1.67, 2.046, 2.166],
        [1.023, 1.331, 1.598, 1.975, 2.268],
      ],
      [
        [1.021, 1.307, 1.527, 1.929, 2.312],
        [1.015, 1.338, 1.587, 2.072, 2.614],
        [1.008, 1.343, 1.6, 2.066, 2.578],
        [1.005, 1.365, 1.641, 2.066, 2.196],
        [1.009, 1.333, 1.572, 1.969, 2.173],
      ],
    ],
    spectral: [
      [
        [5.605, 13.05, 21.7, 29.15, 34.39],
        [5.906, 13.37, 21.77, 30.73, 37.98],
        [5.467, 12.94, 21.34, 31.86, 37.7],
        [5.347, 12.23, 20.37, 26.9, 33.62],
        [5.674, 11.93, 19.53, 31.08, 39.67],
      ],
      [
        [3.381, 6.679, 9.865, 14.08, 18.15],
        [3.209, 6.385, 9.246, 13.13, 17.33],
        [3.083, 6.144, 9.258, 12.48, 17.83],
        [2.931, 6.109, 8.947, 11.27, 12.53],
        [2.914, 5.875, 8.734, 13.06, 16.08],
      ],
      [
        [2.664, 5.483, 7.687, 10, 12.98],
        [2.605, 5.241, 7.375, 9.891, 12.08],
        [2.534, 4.961, 7.303, 9.55, 11.32],
        [2.49, 4.633, 6.741, 8.775, 9.717],
        [2.426, 4.709, 6.544, 7.903, 9.279],
      ],
      [
        [2.919, 5.613, 7.483, 9.14, 10.64],
        [2.833, 5.207, 7.123, 8.992, 10.84],
        [2.693, 4.895, 6.765, 8.755, 11.51],
        [2.697, 4.667, 6.536, 8.36, 8.88],
        [2.624, 4.435, 5.79, 8.637, 10.24],
      ],
    ],
    ensemble: [
      [
        [0.8661, 0.9479, 0.9998, 1.065, 1.242],
        [0.8601, 0.9364, 0.9923, 1.119, 1.376],
        [0.8548, 0.9292, 0.9934, 1.112, 1.316],
        [0.8465, 0.9202, 0.987, 1.054, 1.189],
        [0.8432, 0.9078, 0.9738, 1.108, 1.209],
      ],
      [
        [0.8667, 0.9307, 0.9882, 1.11, 1.368],
        [0.8712, 0.9333, 0.9878, 1.12, 1.324],
        [0.8733, 0.9347, 0.9883, 1.12, 1.339],
        [0.8745, 0.9405, 0.9929, 1.081, 1.246],
        [0.8724, 0.9355, 0.9974, 1.062, 1.132],
      ],
      [
        [0.8642, 0.9212, 0.9818, 1.071, 1.247],
        [0.8698, 0.9273, 0.9874, 1.099, 1.24],
        [0.8701, 0.93, 0.9881, 1.16, 1.349],
        [0.8693, 0.9293, 0.9884, 1.067, 1.261],
        [0.876, 0.9306, 0.9911, 1.145, 1.223],
      ],
      [
        [0.881, 0.9375, 0.9903, 1.103, 1.268],
        [0.8767, 0.9307, 0.9869, 1.146, 1.412],
        [0.8701, 0.9241, 0.9808, 1.172, 1.372],
        [0.8735, 0.9334, 0.9881, 1.063, 1.144],
        [0.8735, 0.9262, 0.9862, 1.075, 1.16],
      ],
    ],
  },
};
