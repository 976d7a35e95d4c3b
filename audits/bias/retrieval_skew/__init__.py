"""Who ranks first when images of people are searched with a sentence that names no group?"""
