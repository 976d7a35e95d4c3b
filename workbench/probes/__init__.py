"""Linear probes and what they tell about a folder of labelled images: accuracy, label errors, the best checkpoint.

labelled      images with classes and the parts train, validation and test
embedding     their embeddings and features, by any model
logistic      multinomial logistic regression: scikit-learn's, and a faster one with torch
strength      the paper's search for the L2 penalty
linear        the linear probe of the CLIP paper
few_shot      few images a class, over several drawings
adapters      few-shot methods that start from the classes' sentences
adaptation    these methods on test images and on images from elsewhere (shifts, robustness)
by_cluster    a probe whose penalty is chosen by folds that never split a cluster
"""
